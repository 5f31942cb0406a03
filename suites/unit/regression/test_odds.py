"""One more night beside good ones."""

from __future__ import annotations

import numpy as np
import pytest

from harness.regression.odds import noise, odds
from harness.regression.scipy_stats import stats
from suites.unit.regression.made import flat

GOOD = flat(20)


def test_the_p_value_is_that_of_one_value_against_many() -> None:
    t = (0.95 - GOOD.mean()) / (GOOD.std(ddof=1) * np.sqrt(1 + 1 / 20))
    assert odds(0.95, GOOD).p == pytest.approx(2 * stats().t.cdf(t, df=19))
    assert odds(0.95, GOOD).effect == pytest.approx(0.95 / GOOD.mean() - 1)


def test_like_compared_with_like_sets_the_least_effect() -> None:
    nights = np.array([1.0, 1.0, 1.0, 1.0, 0.9])
    assert noise(nights) == pytest.approx(0.1)
    assert not odds(0.91, nights).is_worse("higher", 1.0)
    assert odds(0.88, nights).is_worse("higher", 1.0)


def test_which_side_is_bad_is_the_metrics() -> None:
    assert odds(0.9, GOOD).is_worse("higher", 0.01)
    assert not odds(0.9, GOOD).is_worse("lower", 0.01)
    assert odds(1.1, GOOD).is_worse("lower", 0.01)


def test_one_more_good_night_is_seldom_odd() -> None:
    odd = [
        odds(night[0], night[1:]).is_odd(0.01) for night in (flat(21, seed=n) for n in range(500))
    ]
    assert sum(odd) <= 10


def test_nights_that_are_all_alike_leave_nothing_to_chance() -> None:
    assert odds(1.0, np.ones(5)).p == 1.0
    assert odds(0.98, np.ones(5)).is_worse("higher", 0.01)


def test_what_nobody_acts_on_is_not_worse_however_sure_it_is() -> None:
    quiet = flat(20, noise=0.0005)
    assert odds(0.993, quiet).p < 1e-6
    assert not odds(0.993, quiet).is_worse("higher", 0.01)
    assert odds(0.985, quiet).is_worse("higher", 0.01)
