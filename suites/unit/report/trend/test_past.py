"""What the page is made of, in its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.history import History, Series
from harness.report.trend import past
from suites.unit.history.nights import bed, kept
from suites.unit.report.trend.pasts import Moved, at, nights, of


def test_a_plan_is_a_line_that_tells_it_from_others() -> None:
    body = {"channels": 4, "size_bytes": 1 << 26, "iterations": 16, "chunk_bytes": 1 << 19}
    body |= {"client": "b", "server": "a", "memory": "cuda", "exercise": "transfer"}
    found = of(kept(0, plans={"p" * 16: body}))
    assert found.plan("p" * 16) == (
        "transfer, 4 channels, 1.07 GB in chunks of 524.29 kB, b to a, cuda (pppppp)"
    )


def test_a_plan_that_nobody_knows_has_a_line_too() -> None:
    assert of(kept(0)).plan("q" * 16).endswith("? to ? (qqqqqq)")


def test_the_machines_that_ran_last_come_first() -> None:
    other = bed(nodes="alpha,gamma")
    found = of(*nights(2), kept(2, fingerprint=other))
    assert [found.nodes(one) for one in found.topologies] == ["alpha, gamma", "alpha, beta"]


def test_a_driver_does_not_part_the_nights_of_a_series() -> None:
    found = of(*nights(2), kept(2, fingerprint=bed(kernel="6.19.0")))
    assert [len(one.nights) for one in found.series] == [3]


def test_the_latest_change_is_the_first() -> None:
    found = of(*nights(5), changes=lambda _: (*at(1)(_), *at(3)(_)))
    assert [change.night for _, change in found.moved] == [3, 1]


def test_of_what_is_derived_only_what_became_worse_is_shown(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    history.add(*nights(3))

    def derived(series: Sequence[Series]) -> list[Series]:
        names = ("gb_s_beside", "better", "other")
        return [replace(one, key=replace(one.key, metric=n)) for one in series for n in names]

    def changes(series: Series) -> Sequence[Moved]:
        relative = {"gb_s_beside": -0.1, "better": 0.1}.get(series.key.metric)
        return (Moved(night=1, relative=relative),) if relative else ()

    found = past(history, changes, derived)
    assert [one.key.metric for one in found.series] == ["gb_s", "gb_s_beside"]
