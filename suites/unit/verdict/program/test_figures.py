"""A printed rate is held to its own bytes and time, and to the line."""

from __future__ import annotations

from typing import Any

import pytest

from harness.evidence import ExchangePlanned, ProgramSaid, ProgramStarted
from harness.verdict.exchange import Exchange
from harness.verdict.program.figures import figures
from suites.unit.verdict.clean import changed, edited, without
from suites.unit.verdict.program.ran import TIMES_S, ran, say

GIB_GB = 1.073741824
RATE = 64 * 1024**2 / TIMES_S / 1e9


def judged(entries: list[Any]) -> Any:
    return figures(Exchange(entries))


def instead(what: str, value: float, role: str = "server") -> list[Any]:
    """The role said another value."""
    return edited(ran(), ProgramSaid, lambda r: say(role, what, value), role=role, what=what)


def test_a_clean_one_passes() -> None:
    verdict = judged(ran())
    assert (verdict.outcome, verdict.checked) == ("PASS", 2)


def test_the_rounding_of_two_decimals_is_not_a_lie() -> None:
    shown = round(RATE / GIB_GB, 2) * GIB_GB
    assert judged(instead("rate_gb_s", shown)).outcome == "PASS"


@pytest.mark.parametrize(
    ("rate", "why"),
    [
        (RATE * 1.5, ""),
        (RATE * GIB_GB, ": GiB were counted as GB"),
        (RATE / GIB_GB, ": GB were counted as GiB"),
    ],
)
def test_a_rate_that_is_not_its_bytes_in_its_time_is_named(rate: float, why: str) -> None:
    verdict = judged(instead("rate_gb_s", rate))
    assert (verdict.outcome, verdict.klass, verdict.node) == ("FAIL", "FIGURES", "alpha")
    assert verdict.fact.endswith(f"{RATE:.3f} GB/s{why}")


def test_the_time_of_all_iterations_tabled_as_that_of_one_is_named() -> None:
    verdict = judged(instead("average_s", 2 * TIMES_S, role="client"))
    assert (verdict.klass, verdict.node) == ("FIGURES", "beta")
    assert "its time is that of all 2 iterations, told as that of one" in verdict.fact


def test_the_total_time_belongs_to_all_bytes() -> None:
    entries = without(ran(), ProgramSaid, what="average_s")
    for role in ("server", "client"):
        entries = edited(
            entries,
            ProgramSaid,
            lambda r: say(r.role, "total_s", 2 * TIMES_S),
            role=role,
            what="iterations",
        )
    assert judged(entries).outcome == "PASS"


def test_no_wire_is_that_fast() -> None:
    entries = ran()
    for role in ("server", "client"):
        fast = {"rate_gb_s": 20.5, "average_s": 64 * 1024**2 / 20.5e9}
        for what, value in fast.items():
            entries = edited(
                entries,
                ProgramSaid,
                lambda r, v=value, w=what: say(r.role, w, v),
                role=role,
                what=what,
            )
    verdict = judged(entries)
    assert (verdict.outcome, verdict.klass) == ("FAIL", "TOO_FAST")
    assert "printed 20.50 GB/s, the lines carry 0.49" in verdict.fact
    unknown = edited(entries, ExchangePlanned, _of_unknown_rate)
    assert judged(unknown).outcome == "PASS"


@pytest.mark.parametrize("what", ["rate_gb_s", "average_s"])
def test_without_a_rate_or_a_time_there_is_nothing_to_hold_it_to(what: str) -> None:
    verdict = judged(without(ran(), ProgramSaid, role="client", what=what))
    assert (verdict.outcome, verdict.klass, verdict.node) == ("INCONCLUSIVE", "NO_EVIDENCE", "beta")


@pytest.mark.parametrize("rate", [0.0, RATE])
def test_no_time_at_all_is_no_time_for_any_rate(rate: float) -> None:
    entries = instead("average_s", 0.0, role="client")
    entries = changed(
        entries, ProgramSaid, where={"role": "client", "what": "rate_gb_s"}, value=rate
    )
    verdict = judged(entries)
    assert (verdict.outcome, verdict.klass, verdict.node) == ("FAIL", "FIGURES", "beta")
    assert "67,108,864 bytes cannot have moved in 0.000 ms" in verdict.fact


def test_a_rate_of_no_bytes_is_open() -> None:
    verdict = judged(changed(ran(), ProgramStarted, where={"role": "client"}, due_bytes=0))
    assert (verdict.outcome, verdict.klass, verdict.node) == ("INCONCLUSIVE", "NO_EVIDENCE", "beta")
    assert verdict.fact == "the client owes no bytes that its rate could come from"


def _of_unknown_rate(record: ExchangePlanned) -> ExchangePlanned:
    fields = {name: getattr(record, name) for name in record.__dataclass_fields__}
    return ExchangePlanned(**{**fields, "rate_gbit_s": 0.0})
