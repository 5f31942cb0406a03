"""Promises: per-round ratios, medians, and nothing that was not measured holds."""

from __future__ import annotations

import pytest

from harness.bench.case import Case
from harness.bench.figures import Figure
from harness.bench.ratios import ALONE, Ratio, per_round, ratios
from harness.bench.rounds import Taken
from suites.unit.bench.turns import turns

SHAPED = Case(1.0, 9000)
LINE = SHAPED.line_gb_s(4)


def named(found: list[Ratio]) -> dict[str, Ratio]:
    return {ratio.name: ratio for ratio in found}


def test_a_ratio_is_the_median_of_ratios_within_rounds() -> None:
    taken = [*turns("a", 4, 1.0, 4.0, 9.0), *turns("b", 4, 1.0, 2.0, 3.0)]
    assert per_round(taken, ("a", 4), ("b", 4)) == pytest.approx(2.0)


def test_only_rounds_that_have_both_count() -> None:
    taken = [*turns("a", 4, 1.0, 4.0), *turns("b", 4, 0.0, 2.0)]
    assert per_round(taken, ("a", 4), ("b", 4)) == pytest.approx(2.0)
    assert per_round(taken, ("a", 4), ("c", 4)) is None


def test_unknown_cpu_is_no_ratio() -> None:
    unknown = Figure(size_bytes=1, elapsed_s=1.0, cpu_s=None, all_cpu_s=0.1)
    taken = [Taken(peer="a", channels=4, round=0, figure=unknown), *turns("b", 4, 1.0)]
    assert per_round(taken, ("a", 4), ("b", 4), "cpu_s_per_gb") is None


def test_what_was_not_measured_does_not_hold() -> None:
    found = ratios({}, {})
    assert len(found) == 16
    assert all(ratio.value is None and not ratio.holds for ratio in found)


def test_shaped_promises_hold_and_break() -> None:
    good = [
        *turns("ours", 4, LINE, LINE),
        *turns("ours", 1, LINE / 4, LINE / 4),
        *turns("iperf3", 4, LINE, LINE),
    ]
    found = named(ratios({SHAPED.name: good}, {}))
    assert [n for n, r in found.items() if r.holds and n.startswith(SHAPED.name)] == [
        f"{SHAPED.name}/{name}"
        for name in ("of-line", "ours-to-iperf3", "scaling", "cpu-to-iperf3")
    ]
    bad = [
        *turns("ours", 4, LINE * 0.98, cpu=1.1),
        *turns("ours", 1, LINE / 3.9),
        *turns("iperf3", 4, LINE),
    ]
    assert not any(r.holds for r in ratios({SHAPED.name: bad}, {}))


def test_more_of_a_cost_is_worse() -> None:
    found = named(ratios({}, {"fixed-cost-s": 0.4, "observer-core-share": 0.03}))
    assert found["fixed-cost-s"].holds
    assert not found["observer-core-share"].holds


@pytest.mark.parametrize(("name", "threshold", "at_least"), ALONE)
def test_a_threshold_itself_holds(name: str, threshold: float, at_least: bool) -> None:
    ratio = named(ratios({}, {name: threshold}))[name]
    assert ratio.holds
    assert ratio.to_json()["sense"] == (">=" if at_least else "<=")
