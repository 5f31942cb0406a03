"""A NIC beside its siblings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.history import Series
from harness.regression import changes
from harness.regression.beside import beside
from harness.regression.night import level
from suites.unit.regression.made import flat, series


def four(levels: np.ndarray) -> list[Series]:
    whole = series(4 * levels, subject="4 channels")
    return [whole, *(series(levels, subject=f"eth{n}", seed=n) for n in range(1, 5))]


def test_what_all_have_in_common_falls_out() -> None:
    found = beside(four(flat(30, noise=0.2)))
    assert [one.key.subject for one in found] == ["eth1", "eth2", "eth3", "eth4"]
    assert {one.key.metric for one in found} == {"gb_s_beside"}
    levels = [level(night, found[0]) for night in found[0].nights]
    assert np.std(levels) < 0.02
    assert np.mean(levels) == pytest.approx(1, abs=0.03)


def test_one_slower_nic_stands_out_where_its_figure_does_not() -> None:
    noisy = flat(40, noise=0.2)
    nics = four(noisy)
    slow = series(noisy * np.r_[np.ones(25), np.full(15, 0.9)], subject="eth2", seed=2)
    assert not any(change.night == 25 for change in changes(slow))
    shares = {one.key.subject: one for one in beside([*nics[:2], slow, *nics[3:]])}
    (found,) = changes(shares["eth2"])
    assert (found.kind, found.night) == ("step", 25)


def test_two_nics_say_nothing_of_each_other() -> None:
    assert beside(four(flat(5))[:3]) == []


def test_other_metrics_are_no_siblings() -> None:
    others = [replace(one, key=replace(one.key, metric="iteration_s")) for one in four(flat(5))]
    assert beside(others) == []


def test_nights_that_do_not_match_are_left_out() -> None:
    nics = four(flat(5))
    short = replace(nics[1].nights[0], samples=nics[1].nights[0].samples[:-1])
    nics[1] = replace(nics[1], nights=(short, *nics[1].nights[1:-1]))
    assert [night.run for night in beside(nics)[1].nights] == ["run-1", "run-2", "run-3"]
