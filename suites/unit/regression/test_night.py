"""A night's level and spread."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.history import Night
from harness.regression.night import figures, level, spread
from suites.unit.regression.made import series

NIGHT = Night(run="r", at_s=0.0, samples=(1.0, 2.0, 3.0, 4.0, 100.0))


SERIES = series([])


def test_the_level_is_the_quartile_on_the_better_side() -> None:
    assert level(NIGHT, SERIES) == 4.0
    assert level(NIGHT, replace(SERIES, better="lower")) == 2.0


def test_the_level_of_a_share_is_the_median() -> None:
    assert level(NIGHT, series([], metric="gb_s_beside")) == 3.0


def test_one_disturbed_sample_moves_no_level() -> None:
    worse = Night(run="r", at_s=0.0, samples=(0.1, 4.0, 4.0, 4.0, 4.0))
    assert level(worse, SERIES) == 4.0


def test_the_spread_is_a_share_of_the_median() -> None:
    night = Night(run="r", at_s=0.0, samples=(9.0, 10.0, 11.0))
    assert spread(night, SERIES) == pytest.approx(2 / 3 / 10)


def test_a_night_of_zeros_has_no_spread() -> None:
    assert spread(Night(run="r", at_s=0.0, samples=(0.0, 0.0)), SERIES) == 0.0


def test_a_figure_a_night() -> None:
    assert figures([NIGHT, NIGHT], SERIES, level).tolist() == [4.0, 4.0]
