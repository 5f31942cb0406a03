"""Pictures: scales, ticks, and a title and a description in each."""

from __future__ import annotations

import pytest
from lxml import etree

from harness.report.page.svg import Plot, Scale, line, picture, steps, tick


def test_a_picture_is_named_by_its_title_and_description() -> None:
    made = etree.fromstring(picture("p", "Rates <now>", "Two lines.", 10, 20, line([(0, 0)], "x")))
    names = [made.find(f"*[@id='{name}']").text for name in made.get("aria-labelledby").split()]
    assert names == ["Rates <now>", "Two lines."]
    assert (made.get("role"), made.get("viewBox")) == ("img", "0 0 10 20")


def test_a_scale_goes_from_values_to_places() -> None:
    down = Scale(0, 2, 100, 0)
    assert [down(v) for v in (0, 1, 2)] == [100, 50, 0]
    assert Scale(3, 3, 5, 9)(3) == 5


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 37, 4, [0, 10, 20, 30]),
        (0.012, 0.013, 2, [0.012, 0.0125, 0.013]),
        (7, 7, 5, [7]),
    ],
)
def test_ticks_are_round_and_inside(
    low: float, high: float, most: int, expected: list[float]
) -> None:
    assert Scale(low, high, 0, 1).ticks(most) == pytest.approx(expected)


def test_a_tick_has_the_decimals_that_its_steps_need() -> None:
    assert [tick(v, (0, 0.05, 0.1)) for v in (0, 0.05)] == ["0.00", "0.05"]
    assert tick(2000, (0, 2000)) == "2,000"


def test_gaps_between_steps_stay_empty() -> None:
    joined = steps([(0, 1, 5), (1, 2, 6)], 10, "fill")
    apart = steps([(0, 1, 5), (3, 4, 6)], 10, "fill")
    assert (joined.count("M"), apart.count("M")) == (1, 2)
    assert steps([], 10, "fill").count("M") == 0


def test_axes_say_their_units_and_are_not_read_twice() -> None:
    plot = Plot(x=Scale(0, 10, 40, 400), y=Scale(0, 1, 100, 10))
    made = etree.fromstring(plot.axes("time, s", "GB/s"))
    assert made.get("aria-hidden") == "true"
    assert {"time, s", "GB/s", "10", "1.0"} <= {t.text for t in made.iter("text")}
