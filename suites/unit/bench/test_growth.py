"""Growth: plans that vary one thing, and slopes on log axes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.bench.growth import BYTES, Point, plans, point, slope, to_json
from suites.unit.bench.turns import exchange

ONE = Point(x=10, wall_s=1.0, transfer_s=0.5, cpu_s=0.2, rss_bytes=100, journal_bytes=10)


def test_every_plan_is_of_what_it_says() -> None:
    found = plans()
    assert [plan.total_bytes for plan in found["bytes"].values()] == list(BYTES)
    assert all(plan.channels == x for x, plan in found["channels"].items())
    assert all(plan.iterations == x for x, plan in found["iterations"].items())


def test_a_slope_of_one_is_linear_and_of_zero_flat() -> None:
    more = replace(ONE, x=100, wall_s=10.0)
    assert slope([ONE, more], "wall_s") == pytest.approx(1.0)
    assert slope([ONE, more], "rss_bytes") == pytest.approx(0.0)


def test_without_two_points_there_is_no_slope() -> None:
    assert slope([ONE], "wall_s") is None
    assert slope([ONE, replace(ONE, wall_s=2.0)], "wall_s") is None
    assert slope([ONE, replace(ONE, x=100, wall_s=0.0)], "wall_s") is None
    assert to_json({"bytes": [ONE]})["bytes"]["slopes"]["cpu_s"] is None


def test_a_point_is_what_an_exchange_cost() -> None:
    found = point(7, exchange(iterations=3, cpu_s=0.4), 99)
    assert (found.x, found.cpu_s, found.rss_bytes) == (7, pytest.approx(0.4), 1 << 20)
    assert found.transfer_s == pytest.approx(3.0)
    assert found.wall_s == pytest.approx(4.4)
    assert found.journal_bytes == 99
