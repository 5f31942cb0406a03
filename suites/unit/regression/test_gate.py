"""Tonight beside its last good nights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.evidence import Compared
from harness.history import Series
from harness.history.series import Better
from harness.regression.gate import gate
from harness.regression.known import Acknowledged, Known
from suites.unit.regression.made import flat, parted, series

NICS = ("eth1", "eth2", "eth3", "eth4")


def night(*wholes: Series) -> dict[tuple[str, str], Compared]:
    """The gate's answers, by metric and subject."""
    tonight, past = zip(*map(parted, wholes), strict=True)
    return {(one.metric, one.subject): one for one in gate(tonight, past)}


def nics(nights: int, *, noise: float = 0.01, **tonight: float) -> list[Series]:
    """Four NICs on one machine; named ones have tonight's level times so much."""
    found = []
    for number, nic in enumerate(NICS):
        levels = flat(nights, noise) * flat(nights, noise / 8, seed=50 + number)
        levels[-1] *= tonight.get(nic, 1.0)
        found.append(series(levels, subject=nic, seed=number))
    return found


def test_a_night_like_the_others_passes_and_says_on_what_it_rests() -> None:
    found = night(*nics(25))
    assert {one.outcome for one in found.values()} == {"PASS"}
    one = found["gb_s", "eth1"]
    assert (one.klass, one.k, one.excluded, len(one.baseline)) == ("", 10, 0, 20)
    assert one.digest
    assert 0 < one.floor < 0.05
    assert one.q >= one.p > 0.01
    assert "of 20 good nights, which differ by up to" in one.fact


def test_the_slower_nic_is_named_and_no_other() -> None:
    found = night(*nics(25, eth3=0.9))
    red = {where for where, one in found.items() if one.outcome == "FAIL"}
    assert red == {("gb_s", "eth3"), ("gb_s_beside", "eth3")}
    one = found["gb_s", "eth3"]
    assert one.klass == "REGRESSION"
    assert one.effect == pytest.approx(-0.1, abs=0.03)
    assert "baseline acknowledge run-24 --subject 'eth3' --reason WHY" in one.next_step


def test_on_a_quiet_line_half_a_percent_is_nobodys_regression() -> None:
    levels = flat(30, noise=0.0005)
    levels[-1] = 0.993
    small = night(series(levels, within=0.0005))["gb_s", "eth1"]
    assert (small.outcome, small.klass) == ("PASS", "")
    assert small.q < 0.01
    assert "differ by" not in small.fact
    levels[-1] = 0.975
    assert night(series(levels, within=0.0005))["gb_s", "eth1"].klass == "REGRESSION"


def test_one_night_little_worse_than_any_may_be_its_own_and_the_next_one_decides() -> None:
    levels = flat(30)
    levels[-2:] = 0.957
    first = night(series(levels[:-1]))["gb_s", "eth1"]
    assert (first.outcome, first.klass, first.suspects) == ("INCONCLUSIVE", "SUSPECT", 0)
    assert first.floor < -first.effect < 2 * first.floor
    second = night(series(levels))["gb_s", "eth1"]
    assert (second.outcome, second.klass, second.suspects) == ("FAIL", "REGRESSION", 1)


def test_on_a_noisy_machine_its_siblings_tell() -> None:
    found = night(*nics(25, noise=0.08, eth3=0.9))
    assert found["gb_s", "eth3"].klass == ""
    assert found["gb_s_beside", "eth3"].klass == "REGRESSION"


def test_faster_than_before_is_named_and_never_red() -> None:
    found = night(*nics(25, eth3=1.2))
    assert (found["gb_s", "eth3"].outcome, found["gb_s", "eth3"].klass) == ("PASS", "FASTER")


@pytest.mark.parametrize(("better", "klass"), [("higher", "FASTER"), ("lower", "REGRESSION")])
def test_which_side_is_bad_is_the_series_own(better: Better, klass: str) -> None:
    levels = flat(25)
    levels[-1] = 1.2
    found = night(series(levels, metric="figure", better=better))
    assert found["figure", "eth1"].klass == klass


def test_few_samples_are_inconclusive_and_the_excluded_are_told() -> None:
    whole = series(flat(25))
    last = replace(whole.nights[-1], samples=whole.nights[-1].samples[:9], excluded=3)
    found = night(replace(whole, nights=(*whole.nights[:-1], last)))["gb_s", "eth1"]
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "FEW_SAMPLES")
    assert (found.k, found.excluded) == (9, 3)
    assert found.fact == "9 samples, 3 excluded, expected at least 10"


def test_a_night_without_any_sample_is_inconclusive_too() -> None:
    whole = series(flat(25))
    last = replace(whole.nights[-1], samples=(), excluded=12)
    found = night(replace(whole, nights=(*whole.nights[:-1], last)))["gb_s", "eth1"]
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "FEW_SAMPLES")


def test_a_figure_that_is_no_longer_measured_is_inconclusive_and_not_forgotten() -> None:
    kept, lost = series(flat(25)), series(flat(25), metric="cpu_s_per_gb", better="lower")
    (tonight, past), (_, gone) = parted(kept), parted(lost)
    (one, other) = gate([tonight], [past, gone])
    assert (one.metric, one.outcome) == ("gb_s", "PASS")
    assert (other.metric, other.klass, other.k) == ("cpu_s_per_gb", "FEW_SAMPLES", 0)
    at_s = tonight.nights[-1].at_s
    known = Acknowledged(run="run-24", at_s=at_s, subject="*", metric="cpu*", reason="not told")
    assert [one.metric for one in gate([tonight], [past, gone], Known((known,)))] == ["gb_s"]


def test_figures_of_other_plans_and_testbeds_are_not_missed() -> None:
    tonight, past = parted(series(flat(25)))
    others = [
        replace(past, key=replace(past.key, metric="other", **{name: "other"}))
        for name in ("plan", "fingerprint")
    ]
    assert [one.metric for one in gate([tonight], [past, *others])] == ["gb_s"]


def test_no_baseline_is_inconclusive_and_says_what_to_do() -> None:
    found = night(series(flat(3)))["gb_s", "eth1"]
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_BASELINE")
    assert found.fact.startswith("2 good nights")
    assert "Run the nightly tests 3 more times" in found.next_step


def test_what_cannot_be_compared_does_not_hide_what_can() -> None:
    found = night(series(flat(3), subject="eth9"), *nics(25, eth3=0.9))
    assert found["gb_s", "eth9"].klass == "NO_BASELINE"
    assert found["gb_s", "eth3"].klass == "REGRESSION"


def test_a_lucky_night_does_not_end_a_dated_worsening() -> None:
    levels = flat(40) * np.r_[np.ones(25), np.full(15, 0.95)]
    levels[-1] = 0.973
    found = night(series(levels))["gb_s", "eth1"]
    assert found.klass == "REGRESSION"
    assert found.first == "run-25"
    assert "step -4.6%" in found.changes[-1]
    levels[-1] = 1.0
    assert night(series(levels))["gb_s", "eth1"].outcome == "PASS"


def test_a_dated_worsening_that_is_not_sure_among_many_figures_is_named_all_the_same() -> None:
    levels = flat(40, seed=4)
    levels[28:] *= 0.985
    others = [series(flat(40, seed=99 + n), subject=f"4 channel {n}", seed=n) for n in range(20)]
    found = night(series(levels, subject="1 channel", seed=4), *others)["gb_s", "1 channel"]
    assert (found.outcome, found.klass, found.first) == ("PASS", "DATED", "run-28")
    assert "step -2.0%" in found.changes[-1]


def test_a_slow_drift_ends_red_though_no_night_differs_from_the_last() -> None:
    levels = flat(50, noise=0.005) * (1 - 0.003 * np.clip(np.arange(50) - 24, 0, 20))
    found = night(series(levels))["gb_s", "eth1"]
    assert found.klass == "REGRESSION"
    assert "drift" in found.changes[-1]


def test_nights_without_change_raise_hardly_an_alarm() -> None:
    chance = np.random.default_rng(8)
    compared = alarms = 0
    for seed in range(30):
        levels = 1 + 0.02 * chance.standard_normal((4, 25))
        nights = [
            series(each, subject=nic, seed=seed) for nic, each in zip(NICS, levels, strict=True)
        ]
        found = night(*nights)
        compared += len(found)
        alarms += sum(one.outcome != "PASS" for one in found.values())
    assert compared == 240
    assert alarms <= 2


def test_nothing_tonight_is_nothing_to_say() -> None:
    assert gate([], []) == []
