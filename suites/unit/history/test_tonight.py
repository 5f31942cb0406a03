"""A run's series: exchanges of one plan are the samples of one night."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import ExchangePlanned, GpuHealth, GpuLoad, GpuPlace
from harness.history import Series, tonight
from harness.history.tonight import samples
from suites.unit.history.nights import LONG, exchange, judged, run
from suites.unit.verdict.clean import changed, clean, counted, edited


def named(series: list[Series], subject: str, metric: str = "gb_s") -> list[Series]:
    return [one for one in series if (one.key.subject, one.key.metric) == (subject, metric)]


def test_exchanges_of_one_plan_are_samples_of_one_night() -> None:
    found = tonight(run(exchange("main-1"), exchange("main-2", seed=7), exchange("gw0-1")))
    (whole,) = named(found, "4 channels")
    (night,) = whole.nights
    assert night.samples == pytest.approx((0.134217728,) * 3)
    assert (night.run, night.excluded, whole.better) == ("run-1", 0, "higher")
    assert night.revision["kernel"] == "6.18.0"
    assert {one.key.subject for one in found if one.key.metric == "gb_s"} == {
        "4 channels",
        "eth1",
        "eth2",
        "eth3",
        "eth4",
    }


def test_what_observers_saw_of_a_mesh_is_known_of_its_exchanges() -> None:
    """They write it under the mesh's name; without it nobody would have read the GPUs."""
    alone = edited(exchange(memory="cuda"), ExchangePlanned, lambda one: replace(one, mesh="mesh"))
    shared = [
        replace(e, exchange="mesh") if isinstance(e.record, (GpuHealth, GpuLoad, GpuPlace)) else e
        for e in alone
    ]
    assert [one.excluded for one in samples(run(alone))] == [""]
    assert [one.excluded for one in samples(run(shared))] == [""]


def test_another_plan_is_another_series() -> None:
    more = [exchange("b", channels=2), exchange("c", chunk_bytes=1 << 18)]
    found = tonight(run(exchange("a"), *more))
    assert len({one.key.plan for one in found}) == 3
    assert len(named(found, "eth1")) == 3


def test_the_way_back_is_another_series() -> None:
    back = changed(exchange("b"), ExchangePlanned, server="beta", client="alpha")
    assert len({sample.plan for sample in samples(run(exchange("a"), back))}) == 2


def test_what_a_later_version_adds_and_leaves_empty_is_the_same_plan() -> None:
    plain = exchange("a")
    body = dict(plain[0].record.plan)
    lacking = {name: value for name, value in body.items() if name not in ("rails", "rxdm", "seed")}
    older = changed(exchange("b"), ExchangePlanned, plan=lacking)
    assert len({sample.plan for sample in samples(run(plain, older))}) == 1


def test_what_must_not_count_is_counted_on_every_figure_of_its_plan() -> None:
    spoilt = judged(counted(clean("main-2", **LONG), "alpha", "eth2", bytes_recv=9 << 20))
    found = tonight(run(exchange("main-1"), spoilt))
    for subject in ("4 channels", "eth1", "eth2"):
        (one,) = named(found, subject)
        assert (len(one.nights[0].samples), one.nights[0].excluded) == (1, 1)


def test_a_night_without_one_good_sample_still_says_how_many_there_were() -> None:
    spoilt = judged(counted(clean(**LONG), "alpha", "eth2", bytes_recv=9 << 20))
    (one,) = named(tonight(run(spoilt)), "eth3")
    assert (one.nights[0].samples, one.nights[0].excluded) == ((), 1)


def test_a_run_without_samples_has_no_series() -> None:
    assert tonight(run(judged(clean()))) == []
