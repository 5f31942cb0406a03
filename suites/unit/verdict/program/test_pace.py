"""The observer's samples tell how long the NICs needed, whatever a program prints."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.evidence import Entry, NicCount, NicCounters, ProgramSaid, ProgramStarted
from harness.plan import Plan
from harness.verdict.exchange import Exchange
from harness.verdict.program.figures import figures
from harness.verdict.program.pace import shortest_s
from suites.unit.verdict.clean import DONE_S, NICS, NODES, added, changed, node_time, without
from suites.unit.verdict.program.ran import PROGRAM, ran, words

MIB = 1 << 20
SAMPLE_S = 0.05


def sampled(rate_bytes_s: float, from_s: float = 0.4, samples: int = 20) -> list[Entry]:
    """Both nodes' NICs, all at one pace from `from_s` on."""
    entries = without(ran(iterations=1), NicCounters, phase="settled")
    for node in NODES.values():
        for number in range(samples):
            at_s = from_s + number * SAMPLE_S
            moved = round(rate_bytes_s * number * SAMPLE_S)
            record = NicCounters(
                node=node,
                phase="sample",
                at_s=node_time(node, at_s),
                nics=tuple(_count(nic, moved // len(NICS)) for nic in NICS),
            )
            entries = added(entries, record, at_s)
    return entries


def _count(nic: str, moved: int) -> NicCount:
    return NicCount(
        name=nic,
        bytes_sent=5_000_000 + moved,
        bytes_recv=7_000_000 + moved,
        packets_sent=0,
        packets_recv=0,
    )


@pytest.mark.parametrize("role", ["server", "client"])
def test_what_took_half_a_second_took_no_less(role: str) -> None:
    needed_s = shortest_s(Exchange(sampled(128 * MIB)), role, 64 * MIB)
    assert 0.5 - 3 * SAMPLE_S <= needed_s <= 0.5


def test_what_was_never_carried_is_not_known() -> None:
    assert shortest_s(Exchange(sampled(1 * MIB)), "server", 64 * MIB) == 0.0


def test_without_samples_nothing_is_known() -> None:
    assert shortest_s(Exchange(without(ran(), NicCounters)), "server", 1) == 0.0


def test_a_time_that_the_nics_needed_twice_is_a_lie() -> None:
    """It says 0.25 s for 64 MiB."""
    verdict = figures(Exchange(sampled(100 * MIB)))
    assert (verdict.outcome, verdict.klass, verdict.node) == ("FAIL", "TOO_FAST", "alpha")
    assert "its NICs needed at least 5" in verdict.fact
    assert figures(Exchange(sampled(256 * MIB))).outcome == "PASS"


@pytest.mark.parametrize(("role", "node"), list(NODES.items()))
def test_one_of_several_processes_is_held_to_the_nics_too(role: str, node: str) -> None:
    """The NICs needed 0.5 s for the half that each process moved, the other's bytes among them."""
    entries = changed(sampled(64 * MIB), ProgramStarted, processes=(0, 1))
    for each in NODES:
        for word in words(each, Plan(program=PROGRAM, size_bytes=64 * MIB, iterations=1)):
            entries = added(entries, replace(word, process=1), DONE_S - 0.1)
    honest = timed(entries, 0.5)
    assert figures(Exchange(honest)).outcome == "PASS"
    verdict = figures(Exchange(timed(honest, 0.1, role=role, process=1)))
    assert (verdict.outcome, verdict.klass, verdict.node) == ("FAIL", "TOO_FAST", node)
    assert verdict.fact.startswith(f"process 1 of the {role} printed 100.000 ms for 33,554,432")


def timed(entries: list[Entry], seconds: float, **who: Any) -> list[Entry]:
    """Their processes say that they moved 32 MiB in so long."""
    for what, value in (("average_s", seconds), ("rate_gb_s", 32 * MIB / seconds / 1e9)):
        entries = changed(entries, ProgramSaid, where={"what": what, **who}, value=value)
    return entries
