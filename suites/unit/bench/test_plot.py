"""The plot is well-formed SVG with a bar for every figure and a line for every cost."""

from __future__ import annotations

from xml.etree import ElementTree

from harness.bench.growth import Point
from harness.bench.plot import svg
from harness.bench.rows import rows
from suites.unit.bench.turns import turns

SVG = "{http://www.w3.org/2000/svg}"


def points(*values: int) -> list[Point]:
    return [
        Point(x=x, wall_s=x, transfer_s=x, cpu_s=0.0, rss_bytes=x, journal_bytes=x) for x in values
    ]


def test_a_bar_a_figure_and_none_for_an_error() -> None:
    shown = rows("<c>", [*turns("a & b", 4, 1.0, 2.0), *turns("b", 4, 0.0)])
    root = ElementTree.fromstring(svg(shown, {}))
    bars = [r for r in root.iter(f"{SVG}rect") if r.get("width") != "10"]
    assert len(bars) == 1


def test_a_line_a_cost_but_not_for_what_cannot_be_on_a_log_axis() -> None:
    root = ElementTree.fromstring(svg([], {"bytes": points(1, 10, 100), "none": []}))
    assert len(list(root.iter(f"{SVG}polyline"))) == 4


def test_a_single_point_and_nothing_at_all_are_drawn_too() -> None:
    ElementTree.fromstring(svg([], {"bytes": points(1)}))
    ElementTree.fromstring(svg([], {}))
