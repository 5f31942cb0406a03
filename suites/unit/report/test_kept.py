"""What the history keeps of a run is what the report says of it."""

from __future__ import annotations

from dataclasses import replace

from harness.evidence import Entry, TestFinished
from harness.plan import Fault
from harness.report import kept
from suites.unit.history.nights import exchange, judged, run
from suites.unit.report.shards import tried
from suites.unit.verdict.clean import TEST, added, clean
from suites.unit.verdict.test_integrity import damage

PLANTED = "suites/faults/test_planted.py::test_planted_fault_is_named"


def finished(test: str, outcome: str) -> Entry:
    (last,) = (e for e in run() if type(e.record).__name__ == "RunEnded")
    return replace(
        last, record=TestFinished(test=test, outcome=outcome, duration_s=1.0, message="because")
    )


def planted(name: str, *, caught: bool) -> list[Entry]:
    """An exchange with a flipped byte, which its verdicts see or not."""
    entries = clean(name, faults=(Fault(kind="flip", chunk=5, value=9),))
    return judged(added(entries, damage(), 1.6) if caught else entries)


def test_a_runs_tests_and_verdict_are_the_reports() -> None:
    found = kept([*run(exchange()), finished("a", "PASS"), finished("b", "FAIL")])
    assert found.tests == {"a": "PASS", "b": "FAIL"}
    assert (found.outcome, found.taken) == ("FAIL", 1)


def test_a_cut_run_is_an_error_with_its_samples() -> None:
    found = kept([*run(exchange(), ended=False), finished("a", "PASS")])
    assert (found.outcome, found.ended, found.taken) == ("ERROR", False, 1)


def test_canaries_are_told_by_their_tests() -> None:
    tests = [finished(f"{PLANTED}[flip]", "PASS"), finished(f"{PLANTED}[swap]", "FAIL")]
    assert kept([*run(), *tests]).canaries == {f"{PLANTED}[flip]": True, f"{PLANTED}[swap]": False}


def test_a_planted_exchange_is_caught_when_all_of_its_kind_are() -> None:
    found = kept(run(planted("a", caught=True), planted("b", caught=True)))
    assert found.canaries == {f"{TEST}: flip": True}
    found = kept(run(planted("a", caught=True), planted("b", caught=False)))
    assert found.canaries == {f"{TEST}: flip": False}


def test_of_a_flaky_test_that_it_was_red_too() -> None:
    assert kept(tried("FAIL", "PASS", asked=2)).tests == {"a.py::test_a": "FLAKY"}
    assert kept(tried("FAIL", "PASS")).tests == {"a.py::test_a": "FAIL"}
