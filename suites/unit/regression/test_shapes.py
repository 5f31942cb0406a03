"""Which shape a row of figures has, and whether it has any."""

from __future__ import annotations

import numpy as np
import pytest

from harness.regression.shapes import Shape, best, drawn_in, p_value, shapes_of
from suites.unit.regression.made import flat


def test_a_shape_ends_where_the_later_level_begins() -> None:
    assert Shape(10, 1).end == 10
    assert Shape(10, 20).end == 29


@pytest.mark.parametrize("at", [6, 20, 34])
def test_a_step_is_found_on_its_night(at: int) -> None:
    row = flat(40)
    row[at:] *= 0.9
    assert p_value(row, drifts=True) < 0.01
    assert best(row, drifts=True) == Shape(at, 1)


def test_a_drift_is_no_step() -> None:
    row = flat(60, noise=0.005) * (1 - 0.003 * np.clip(np.arange(60) - 19, 0, 20))
    found = best(row, drifts=True)
    assert found.width > 8
    assert abs(found.first - 20) <= 4
    assert best(row, drifts=False).width == 1


def test_p_values_of_chance_are_what_they_say() -> None:
    chance = np.random.default_rng(3)
    p_values = [p_value(chance.standard_normal(30), drifts=True) for _ in range(400)]
    assert np.mean(np.array(p_values) < 0.1) == pytest.approx(0.1, abs=0.05)


def test_without_drifts_only_what_rises_counts() -> None:
    row = np.r_[np.zeros(20), np.ones(20)] + flat(40)
    assert p_value(row, drifts=False) < 0.001 < 0.5 < p_value(-row, drifts=False)


@pytest.mark.parametrize("row", [np.ones(30), np.arange(5.0)], ids=["alike", "few"])
def test_nothing_is_seen_where_there_is_nothing(row: np.ndarray) -> None:
    assert p_value(row, drifts=True) == 1.0


def test_one_bad_night_is_no_change() -> None:
    row = flat(40)
    row[20] = 0.3
    assert p_value(row, drifts=True) > 0.01
    assert drawn_in(row)[20] > 0.9
    assert drawn_in(row)[19] == row[19]


def test_every_row_has_mean_0_and_length_1() -> None:
    rows = shapes_of(20, True).rows
    assert np.allclose(rows.mean(axis=1), 0)
    assert np.allclose((rows**2).sum(axis=1), 1)
