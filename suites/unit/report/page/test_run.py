"""What the page reads of a run."""

from __future__ import annotations

from harness.report.page.run import Run, worst_of
from harness.verdict import Outcome
from suites.unit.report.run import DAMAGED, MAPPED, green, run


def test_the_red_come_first_and_the_gravest_before_the_others() -> None:
    outcomes = [case.outcome.name for _, case in Run(run()).ordered]
    assert outcomes == ["ERROR", "FAIL", "INCONCLUSIVE", "PASS", "SKIP"]
    assert [number for number, _ in Run(run()).ordered] == [4, 2, 3, 1, 5]


def test_a_test_has_its_own_exchanges_and_claims() -> None:
    seen = Run(run())
    assert [one.seen.name for one in seen.told_of[MAPPED]] == ["main-1"]
    assert worst_of(seen.told_of[DAMAGED][0]) is Outcome.FAIL
    assert len(seen.judged_of[DAMAGED]) == 7
    assert {e.exchange for e in seen.by_exchange["main-2"]} == {"main-2"}


def test_a_run_of_nothing_is_an_error() -> None:
    assert (Run([]).name, Run([]).outcome) == ("", Outcome.ERROR)
    assert Run(green()).outcome is Outcome.PASS
