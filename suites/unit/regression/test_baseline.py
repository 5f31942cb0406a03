"""Which nights are a baseline, and why there may be none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.history import Series
from harness.regression.baseline import Baseline, baseline
from harness.regression.known import UNSAID, Acknowledged, Adopted, Known
from suites.unit.regression.made import DAY_S, flat, parted, series


def of(whole: Series, known: Known = UNSAID) -> Baseline:
    tonight, past = parted(whole)
    return baseline(tonight, [past], known)


def places(found: Baseline) -> list[int]:
    return [int(run.removeprefix("run-")) for run in found.runs]


def stepped(nights: int, at: int, share: float = 0.9) -> np.ndarray:
    levels = flat(nights)
    levels[at:] *= share
    return levels


def test_the_last_twenty_nights_are_the_baseline() -> None:
    found = of(series(flat(41)))
    assert places(found) == list(range(20, 40))
    assert found.problem == ""


def test_tonight_is_never_part_of_it() -> None:
    whole = series(flat(10))
    found = baseline(parted(whole)[0], [whole], Known())
    assert places(found) == list(range(9))


def test_other_figures_are_no_baseline() -> None:
    tonight, past = parted(series(flat(20)))
    others = [
        replace(past, key=replace(past.key, **{name: "other"}))
        for name in ("fingerprint", "plan", "metric", "subject")
    ]
    assert baseline(tonight, others, Known()).nights == ()


@pytest.mark.parametrize("nights", [1, 4])
def test_too_few_good_nights_are_a_problem(nights: int) -> None:
    found = of(series(flat(nights + 1)))
    assert found.problem.startswith(f"{nights} good nights of this testbed and plan, expected")
    assert f"Run the nightly tests {5 - nights} more times" in found.fix


def test_nights_of_few_samples_are_not_good() -> None:
    whole = series(flat(20))
    short = replace(whole.nights[7], samples=whole.nights[7].samples[:9])
    found = of(replace(whole, nights=(*whole.nights[:7], short, *whole.nights[8:])))
    assert 7 not in places(found)


def test_an_old_baseline_is_a_problem_and_its_age_is_told() -> None:
    tonight, past = parted(series(flat(20)))
    late = replace(tonight.nights[0], at_s=(18 + 15) * DAY_S)
    found = baseline(replace(tonight, nights=(late,)), [past], Known())
    assert found.problem.startswith("the last night, run-18, is 15 days old, expected at most 14")
    assert found.fix.endswith("baseline adopt bed --reason WHY")
    vouched = Adopted(source="bed", target="bed", at_s=30 * DAY_S, reason="nobody was here")
    assert not baseline(replace(tonight, nights=(late,)), [past], Known((vouched,))).problem


def test_nights_of_which_nothing_counts_make_an_old_baseline_no_younger() -> None:
    tonight, past = parted(series(flat(20)))
    late = replace(tonight.nights[0], at_s=(18 + 15) * DAY_S)
    disturbed = replace(late, run="disturbed", at_s=(18 + 14) * DAY_S, samples=(), excluded=12)
    known = replace(past, nights=(*past.nights, disturbed))
    found = baseline(replace(tonight, nights=(late,)), [known], Known())
    assert found.problem.startswith("the last night, run-18, is 15 days old")


def test_another_testbeds_nights_are_offered_and_can_be_adopted() -> None:
    tonight, past = parted(series(flat(20)))
    new = replace(tonight, key=replace(tonight.key, fingerprint="new"))
    found = baseline(new, [past], Known())
    assert "19 of testbed bed" in found.fix
    assert "baseline adopt" in found.fix
    adopted = Adopted(source="bed", target="new", at_s=0.0, reason="patch level")
    assert places(baseline(new, [past], Known((adopted,)))) == list(range(19))


def test_nights_before_an_acknowledged_change_are_no_baseline() -> None:
    known = Acknowledged(run="run-20", at_s=20 * DAY_S, subject="*", metric="*", reason="cable")
    found = of(series(stepped(31, 20)), Known((known,)))
    assert places(found) == list(range(20, 30))
    assert found.lost is None


def test_a_worsening_does_not_become_the_norm_by_waiting() -> None:
    found = of(series(stepped(50, 25)))
    assert places(found) == list(range(5, 25))
    assert found.lost is not None
    assert found.lost.run == "run-25"


@pytest.mark.parametrize("since", range(1, 9))
def test_not_even_before_it_can_be_dated(since: int) -> None:
    found = of(series(stepped(31, 30 - since)))
    assert max(places(found)) == 30 - since - 1


def test_what_came_back_is_good_again() -> None:
    levels = flat(60)
    levels[20:40] *= 0.9
    found = of(series(levels))
    assert places(found) == [*range(19, 20), *range(40, 59)]
    assert found.lost is None


def test_a_bad_night_that_passed_stays_for_what_nights_can_be_like() -> None:
    levels = flat(30)
    levels[20] = 0.7
    assert 20 in places(of(series(levels)))


def test_the_digest_is_of_runs_and_samples() -> None:
    whole = series(flat(10))
    assert of(whole).digest == of(whole).digest
    other = replace(whole.nights[3], samples=(*whole.nights[3].samples[:-1], 9.0))
    assert of(replace(whole, nights=(*whole.nights[:3], other, *whole.nights[4:]))).digest != (
        of(whole).digest
    )


def test_a_worsening_that_ended_frees_the_nights_after_it() -> None:
    levels = flat(60, noise=0.003)
    levels[20:35] *= 0.95
    found = of(series(levels, within=0.005))
    assert found.lost is None
    assert places(found) == list(range(39, 59))
