"""The run's own verdict: green tests are not enough."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import RunEnded, TestFinished, TestsPlanned
from harness.report.ending import RUN_CASE, all_cases, outcome
from harness.verdict import Outcome
from suites.unit.report.run import green, run


def test_a_green_run_that_ended_with_0_passes() -> None:
    assert outcome(green()) is Outcome.PASS
    assert [case.test for case in all_cases(green())] != [RUN_CASE]


def test_a_red_run_is_as_red_as_its_worst_test_and_needs_no_case_of_its_own() -> None:
    assert outcome(run()) is Outcome.ERROR
    assert RUN_CASE not in {case.test for case in all_cases(run()[:-1])}


@pytest.mark.parametrize(
    ("entries", "klass"),
    [
        (green()[:-1], "INTERRUPTED"),
        ([*green()[:-1], replace(green()[-1], record=RunEnded(exit_code=1))], "EXIT_CODE"),
        ([green()[0], green()[-1]], "NOT_RUN"),
        ([e for e in green() if isinstance(e.record, RunEnded)], "NOT_RUN"),
        ([], "INTERRUPTED"),
    ],
    ids=["cut", "exit code", "no tests", "only an end", "nothing"],
)
def test_a_run_that_proves_nothing_has_a_red_case_of_its_own(entries, klass: str) -> None:
    case = all_cases(entries)[-1]
    assert (case.test, case.outcome, case.klass) == (RUN_CASE, Outcome.ERROR, klass)
    assert outcome(entries) is Outcome.ERROR


def test_a_run_of_skips_alone_is_inconclusive_and_says_so() -> None:
    skipped = [
        replace(e, record=replace(e.record, outcome="SKIP"))
        if isinstance(e.record, TestFinished)
        else e
        for e in green()
    ]
    case = all_cases(skipped)[-1]
    assert (case.test, case.outcome, case.klass) == (
        RUN_CASE,
        Outcome.INCONCLUSIVE,
        "NOTHING_CHECKED",
    )
    assert "skipped or failing as expected" in case.message  # a report knows no difference
    assert "\n  next: See the skips' reasons" in case.detail
    assert outcome(skipped) is Outcome.INCONCLUSIVE


def test_a_plan_of_no_tests_proves_nothing() -> None:
    entries = [replace(e, record=TestsPlanned(tests={})) for e in green()[1:2]]
    assert outcome([*entries, green()[-1]]) is Outcome.ERROR
