"""What a program says that it moved is held against what its NICs carried."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.evidence import NicCounters, ProgramSaid, ProgramStarted
from harness.plan import MIB, Plan
from harness.verdict.exchange import Exchange
from harness.verdict.program.delivery import delivery
from suites.unit.verdict.clean import changed, edited, frozen, without
from suites.unit.verdict.program.ran import PROGRAM, also, carried, ran, say, words

GIB_GB = 1.073741824


def judged(entries: list[Any]) -> Any:
    return delivery(Exchange(entries))


def test_a_clean_one_passes_on_its_nics_counts() -> None:
    verdict = judged(ran())
    assert (verdict.outcome, verdict.checked) == ("PASS", 6)
    assert "134,217,728 are due" in verdict.fact


def test_17_of_128_chunks_at_19_gb_s_is_no_ledger() -> None:
    entries = also(carried(ran(iterations=1), 17 / 128), say("server", "rate_gb_s", 19.11 * GIB_GB))
    verdict = judged(entries)
    assert (verdict.outcome, verdict.klass, verdict.node) == ("FAIL", "LEDGER", "alpha")
    assert "says 20.52 GB/s for 67,108,864 bytes" in verdict.fact
    assert "17 of 128 chunks" in verdict.fact


def test_one_role_whose_nics_lack_bytes_is_named() -> None:
    lacking = carried(ran(), 0.5)
    whole = ran()
    mixed = [
        other if getattr(entry.record, "node", "") == "alpha" else entry
        for entry, other in zip(lacking, whole, strict=True)
    ]
    verdict = judged(mixed)
    assert (verdict.klass, verdict.node) == ("LEDGER", "beta")
    assert verdict.fact.startswith("the client says")


def test_a_counter_that_stood_still_is_not_the_programs_fault() -> None:
    verdict = judged(frozen(ran(), "alpha", "eth2"))
    assert (verdict.outcome, verdict.klass) == ("INCONCLUSIVE", "COUNTER")


def test_an_aborted_iteration_is_named_before_any_sum() -> None:
    line = "[ERROR] Iter 1 aborted after 22.2ms"
    entries = without(ran(), ProgramSaid, role="server", what="iteration_s", iteration=1)
    verdict = judged(also(carried(entries, 0.9), say("server", "aborted", 1, line, iteration=1)))
    assert (verdict.outcome, verdict.klass, verdict.node) == ("FAIL", "ITERATION", "alpha")
    assert "aborted iteration 2 of 2" in verdict.fact


def test_an_average_over_too_few_is_no_average_over_all() -> None:
    entries = without(ran(), ProgramSaid, role="server", what="iterations")
    verdict = judged(also(entries, say("server", "iterations", 1)))
    assert (verdict.klass, verdict.fact) == (
        "ITERATION",
        "the server averaged over 1 of 2 iterations",
    )


@pytest.mark.parametrize("guilty", [0, 1])
def test_the_process_that_averaged_over_too_few_is_named(guilty: int) -> None:
    entries = changed(ran(), ProgramStarted, processes=(0, 1))
    for role in ("server", "client"):
        for word in words(role, Plan(program=PROGRAM, size_bytes=64 * MIB, iterations=2)):
            entries = also(entries, replace(word, process=1))
    where = {"role": "server", "what": "iterations", "process": guilty}
    verdict = judged(changed(entries, ProgramSaid, where=where, value=1))
    assert (verdict.klass, verdict.node, verdict.fact) == (
        "ITERATION",
        "alpha",
        f"process {guilty} of the server averaged over 1 of 2 iterations",
    )


def test_an_iteration_that_was_never_ended_is_named() -> None:
    entries = without(ran(), ProgramSaid, role="client", what="iteration_s", iteration=0)
    assert judged(entries).fact == "the client never ended iteration 1 of 2"


def test_chunks_that_it_admits_to_lack_are_a_broken_ledger() -> None:
    entries = also(
        ran(),
        say("server", "iteration_chunks", 17, "(17/128 chunks)", iteration=1),
        say("server", "iteration_chunks_due", 128, "(17/128 chunks)", iteration=1),
    )
    verdict = judged(entries)
    assert (verdict.klass, verdict.node) == ("LEDGER", "alpha")
    assert "17 of 128 chunks in iteration 2: '(17/128 chunks)'" in verdict.fact


def test_a_plan_of_its_own_is_not_the_plan() -> None:
    """It counts itself complete, but with other chunks than were planned."""
    entries = also(
        ran(),
        say("client", "iteration_chunks", 64, iteration=0),
        say("client", "iteration_chunks_due", 64, iteration=0),
    )
    assert judged(entries).klass == "LEDGER"


@pytest.mark.parametrize(
    ("what", "where"), [("iteration_bytes", {"iteration": 0}), ("total_bytes", {})]
)
def test_other_bytes_than_planned_are_a_broken_ledger(what: str, where: dict[str, int]) -> None:
    entries = [
        entry
        for entry in ran()
        if not (isinstance(entry.record, ProgramSaid) and entry.record.what == what)
    ]
    verdict = judged(also(entries, say("server", what, 4096, **where)))
    assert (verdict.klass, verdict.node) == ("LEDGER", "alpha")
    assert "4,096 bytes in" in verdict.fact


def test_values_that_it_found_wrong_itself_are_a_failure() -> None:
    line = "# Out of bounds values : 5 FAILED"
    verdict = judged(also(ran(), say("client", "wrong_values", 5, line)))
    assert (verdict.outcome, verdict.klass) == ("FAIL", "DATA")
    assert line in verdict.fact


def test_its_word_that_none_are_wrong_is_no_evidence_and_no_fault() -> None:
    assert judged(also(ran(), say("client", "wrong_values", 0))).outcome == "PASS"


def test_silence_is_no_pass() -> None:
    verdict = judged(without(ran(), ProgramSaid, role="server"))
    assert (verdict.outcome, verdict.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")
    assert verdict.fact == "the server said nothing of what it moved"


def test_a_program_that_owes_nothing_cannot_deliver() -> None:
    def owes_nothing(record: ProgramStarted) -> ProgramStarted:
        return type(record)(**{**_fields(record), "due_bytes": 0})

    verdict = judged(edited(ran(), ProgramStarted, owes_nothing, role="server"))
    assert (verdict.outcome, verdict.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")


def test_without_readings_nothing_is_known() -> None:
    verdict = judged(without(ran(), NicCounters, phase="settled", node="beta"))
    assert (verdict.outcome, verdict.klass, verdict.node) == ("INCONCLUSIVE", "COUNTER", "beta")


def _fields(record: ProgramStarted) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}
