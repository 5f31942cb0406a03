"""Change points of a series: their nights, kinds and sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.history import Night
from harness.regression.changes import Change, changes
from suites.unit.regression.made import flat, series


def test_a_step_is_dated_and_sized() -> None:
    levels = flat(50)
    levels[30:] *= 0.95
    (found,) = changes(series(levels))
    assert (found.kind, found.night, found.run) == ("step", 30, "run-30")
    assert found.relative == pytest.approx(-0.05, abs=0.01)
    assert found.after / found.before - 1 == pytest.approx(found.relative)
    assert found.is_worse("higher")
    assert not found.is_worse("lower")


def test_every_step_of_several_is_found() -> None:
    levels = flat(60)
    levels[20:40] *= 0.9
    assert [(c.night, c.relative < 0) for c in changes(series(levels))] == [(20, True), (40, False)]


def test_a_step_that_nobody_acts_on_is_left_unnamed_and_hides_none_beside_it() -> None:
    levels = flat(60, noise=0.001)
    levels[20:] *= 0.994
    assert changes(series(levels, within=0.001)) == ()
    levels[40:] *= 0.97
    (found,) = changes(series(levels, within=0.001))
    assert (found.kind, found.night) == ("step", 40)


def test_a_drift_is_named_as_one() -> None:
    levels = flat(60) * (1 - 0.003 * np.clip(np.arange(60) - 19, 0, 20))
    (found,) = changes(series(levels))
    assert found.kind == "drift"
    assert abs(found.night - 20) <= 5
    assert found.relative == pytest.approx(-0.06, abs=0.015)


def test_a_wider_spread_is_named_as_one() -> None:
    calm, wild = series(flat(40), within=0.01), series(flat(40), within=0.03, seed=5)
    mixed = replace(calm, nights=calm.nights[:25] + wild.nights[25:])
    (found,) = changes(mixed)
    assert (found.kind, found.night) == ("spread", 25)
    assert found.is_worse("higher")
    assert found.is_worse("lower")


def test_a_narrower_spread_is_no_news() -> None:
    wild, calm = series(flat(40), within=0.03), series(flat(40), within=0.01, seed=5)
    assert changes(replace(wild, nights=wild.nights[:25] + calm.nights[25:])) == ()


def test_nights_without_samples_keep_their_places() -> None:
    levels = flat(50)
    levels[30:] *= 0.9
    whole = series(levels)
    empty = replace(whole.nights[10], samples=())
    (found,) = changes(replace(whole, nights=(*whole.nights[:10], empty, *whole.nights[11:])))
    assert (found.night, found.run) == (30, "run-30")


@pytest.mark.parametrize("nights", [0, 1, 5, 12])
def test_few_nights_show_nothing(nights: int) -> None:
    assert changes(series(flat(nights))) == ()


def test_a_series_that_never_changed_has_none() -> None:
    found = [changes(series(flat(40, seed=n), seed=n)) for n in range(100)]
    assert sum(map(bool, found)) <= 3


def test_from_nothing_to_something_is_endless() -> None:
    nights = [Night(run=f"r{n}", at_s=n, samples=(float(n >= 8),) * 10) for n in range(16)]
    (found,) = changes(replace(series([]), nights=tuple(nights)))
    assert found == Change(
        night=8, at_s=8, run="r8", before=0, after=1, relative=np.inf, kind="step", p=found.p
    )


@pytest.mark.parametrize("until", [35, 40, 45])
def test_what_was_lost_for_a_while_is_told_with_its_end(until: int) -> None:
    levels = flat(60, noise=0.003)
    levels[20:until] *= 0.95
    found = changes(series(levels, within=0.005))
    assert [change.night for change in found] == [20, until]
    assert [change.relative for change in found] == pytest.approx([-0.05, 0.053], abs=0.005)


def test_steps_that_nobody_acts_on_are_seen_together() -> None:
    levels = flat(80, noise=0.001)
    for at in (20, 40, 60):
        levels[at:] *= 0.993
    found = [c for c in changes(series(levels, within=0.001)) if c.kind != "spread"]
    assert found
    assert all(change.relative <= -0.01 for change in found)
