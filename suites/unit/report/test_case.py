"""Every planned test appears once with its end, whenever the run was cut."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import Entry, Judged, Progress, TestFinished, TestsPlanned, TestStarted
from harness.report.case import cases
from harness.verdict import Outcome
from suites.unit.report.run import (
    BROKEN,
    DAMAGED,
    MAPPED,
    OPEN,
    PLANNED,
    SKIPPED,
    green,
    run,
    with_claim,
)
from suites.unit.report.shards import tried

RUN = run()


def case(entries: list[Entry], test: str):
    (found,) = [one for one in cases(entries) if one.test == test]
    return found


def test_a_whole_run_has_each_planned_test_once_with_its_outcome() -> None:
    assert {one.test: one.outcome.name for one in cases(RUN)} == {
        MAPPED: "PASS",
        DAMAGED: "FAIL",
        OPEN: "INCONCLUSIVE",
        BROKEN: "ERROR",
        SKIPPED: "SKIP",
    }
    assert [one.source for one in cases(RUN)] == list(PLANNED.values())


@pytest.mark.parametrize("at", range(2, len(RUN)))
def test_a_run_cut_anywhere_still_has_each_planned_test_once_and_is_red(at: int) -> None:
    found = cases(RUN[:at])
    assert [one.test for one in found] == list(PLANNED)
    ended = {e.record.test for e in RUN[:at] if isinstance(e.record, TestFinished)}
    assert all(one.red for one in found if one.test not in ended)


def test_an_interrupted_test_names_the_last_thing_that_was_seen() -> None:
    started = next(i for i, e in enumerate(RUN) if isinstance(e.record, TestStarted))
    found = case(RUN[: started + 11], MAPPED)
    last = type(RUN[started + 10].record).__name__
    assert (found.outcome, found.klass) == (Outcome.ERROR, "INTERRUPTED")
    assert f"last event: {last} (node " in found.message
    assert "s after its start" in found.message


def test_a_mere_sign_of_life_is_not_the_last_thing_that_was_seen() -> None:
    started = next(i for i, e in enumerate(RUN) if isinstance(e.record, TestStarted))
    sign = Progress(node="alpha", role="server", bytes=1, of_bytes=2)
    cut = RUN[: started + 11]
    assert case([*cut, replace(cut[-1], record=sign)], MAPPED) == case(cut, MAPPED)


def test_a_test_that_never_began_is_an_error() -> None:
    found = case(RUN[:2], SKIPPED)
    assert (found.outcome, found.klass) == (Outcome.ERROR, "NOT_RUN")


def test_a_green_test_with_an_open_claim_is_an_error() -> None:
    found = case(with_claim(RUN, "scaling-4"), MAPPED)
    assert (found.outcome, found.klass) == (Outcome.ERROR, "UNSETTLED")
    assert "scaling-4" in found.message


def test_a_red_test_keeps_its_reason_and_lists_the_open_claim() -> None:
    started = next(e for e in RUN if isinstance(e.record, TestStarted))
    entries = [
        replace(e, record=replace(e.record, outcome="FAIL", klass="STALL", message="stalled"))
        if isinstance(e.record, TestFinished) and e.record.test == MAPPED
        else e
        for e in with_claim(RUN, "scaling-4")
    ]
    found = case(entries, MAPPED)
    assert (found.klass, found.message) == ("STALL", "stalled")
    assert "scaling-4" in found.detail
    assert started in entries


def test_of_a_repeated_test_the_worst_end_counts() -> None:
    end = next(e for e in RUN if isinstance(e.record, TestFinished) and e.record.outcome == "PASS")
    worse = replace(end, record=replace(end.record, outcome="FAIL", message="once"))
    for entries in ([*RUN, worse], [worse, *RUN]):
        assert case(entries, MAPPED).outcome is Outcome.FAIL


def test_an_outcome_that_is_none_is_an_error() -> None:
    end = TestFinished(test="t", outcome="GREEN", duration_s=0.0)
    assert case([replace(RUN[0], record=end)], "t").outcome is Outcome.ERROR


def test_a_test_that_nobody_planned_is_told_too() -> None:
    end = replace(RUN[0], record=TestFinished(test="extra", outcome="PASS", duration_s=0.0))
    assert [one.test for one in cases([*green(), end])] == [MAPPED, "extra"]


def test_only_an_error_and_an_open_case_begin_with_the_word() -> None:
    words = {one.test: one.worded.split()[0] for one in cases(RUN) if one.message}
    assert (words[BROKEN], words[OPEN]) == ("ERROR", "INCONCLUSIVE")
    assert words[DAMAGED] == "BITFLIP"


def test_a_plan_told_twice_is_one_plan() -> None:
    twice = [RUN[1], *RUN]
    assert isinstance(RUN[1].record, TestsPlanned)
    assert len(cases(twice)) == len(PLANNED)


def test_a_test_that_asked_for_tries_is_green_and_flaky() -> None:
    (found,) = cases(tried("FAIL", "ERROR", "PASS", asked=3))
    assert (found.outcome.name, found.flaky, found.attempt) == ("PASS", True, 3)
    assert [other.message for other in found.others] == ["K1: seen", "K2: seen"]


@pytest.mark.parametrize(
    ("outcomes", "asked", "counts"),
    [
        (("FAIL", "PASS"), 1, "FAIL"),  # nobody asked
        (("FAIL", "FAIL", "PASS"), 2, "FAIL"),  # it asked for fewer
        (("FAIL", "INCONCLUSIVE"), 2, "FAIL"),
        (("PASS", "FAIL"), 2, "FAIL"),
        (("PASS", "PASS"), 1, "PASS"),
    ],
)
def test_otherwise_the_worst_try_counts_and_the_others_are_kept(outcomes, asked, counts) -> None:
    (found,) = cases(tried(*outcomes, asked=asked))
    assert (found.outcome.name, found.flaky) == (counts, False)
    assert len(found.others) == len(outcomes) - 1


@pytest.mark.parametrize(("attempt", "outcome"), [(1, "PASS"), (2, "FAIL")])
def test_a_red_verdict_of_the_try_that_counts_is_not_forgiven(attempt: int, outcome: str) -> None:
    entries = tried("FAIL", "PASS", asked=2)
    judged = Judged(
        test="a.py::test_a",
        claim="speed",
        outcome="FAIL",
        checked=1,
        fact="slow",
        klass="SLOW",
        attempt=attempt,
    )
    (found,) = cases([*entries, replace(entries[-1], record=judged)])
    assert found.outcome.name == outcome


def test_a_try_that_was_skipped_makes_no_red_one_flaky() -> None:
    """Nothing was compared in it: what the other try found is all that is known."""
    found = case(tried("FAIL", "SKIP", asked=2), "a.py::test_a")
    assert (found.outcome, found.flaky) == (Outcome.FAIL, False)
