"""A picture says in words what it shows, and shows every night that has a sample."""

from __future__ import annotations

import re
from dataclasses import replace

from lxml import etree

from harness.history import Series
from harness.report.trend.chart import LEAST, chart, levels, renewals
from suites.unit.history.nights import kept
from suites.unit.report.trend.pasts import Moved, nights, of


def series(count: int = 6) -> Series:
    (one,) = of(*nights(count)).series
    return one


def drawn(one: Series, *changes: Moved) -> etree._Element:
    return etree.fromstring(chart(one, changes, "c"))


def words(figure: etree._Element) -> str:
    return str(figure.findtext("p"))


def test_it_says_what_it_shows() -> None:
    figure = drawn(series(), Moved(night=3))
    assert words(figure) == (
        "6 nights, 24 samples; 6 excluded; 2026-09-26: 0.125 GB/s; "
        "2026-09-24: ▼ step of -5.5%, worse."
    )
    assert figure.findtext("svg/desc") == words(figure)
    assert len(figure.findall(".//circle")) == 6
    assert figure.find(".//path[@class='limit']") is not None


def test_that_nothing_changed_is_said() -> None:
    assert words(drawn(series(14))).endswith("; no change.")
    assert words(drawn(series(13))).endswith("; too few nights to tell a change.")
    assert drawn(series()).find(".//path[@class='limit']") is None


def test_quartiles_are_of_four_samples_or_more() -> None:
    (level, *_) = levels(series(1))
    assert (level.low, level.middle, level.high) == (0.123, 0.125, 0.127)
    (few,) = levels(of(kept(0, gb_s=(0.1, 0.3))).series[0])
    assert (few.low, few.middle, few.high) == (0.1, 0.2, 0.3)


def test_a_night_without_samples_is_no_point() -> None:
    (one,) = of(kept(0), kept(1, gb_s=()), kept(2)).series
    assert len(drawn(one).findall(".//circle")) == 2
    assert "2 nights, 4 samples; 3 excluded" in words(drawn(one))


def test_no_night_with_a_sample_is_said() -> None:
    (one,) = of(kept(0, gb_s=())).series
    assert words(drawn(one)) == "1 night, none with a sample that counts."


def test_noise_of_a_percent_looks_like_it() -> None:
    """The field is at least a tenth of the level high."""
    figure = drawn(series())
    around = figure.find(".//path[@class='together']").get("d")
    heights = [float(y) for y in re.findall(r" ([\d.]+)", around)]
    field = 176 - 26 - 34
    assert max(heights) - min(heights) <= 1.05 * field * (0.127 - 0.123) / (LEAST * 0.125)


def test_another_kernel_is_a_line_and_another_revision_none() -> None:
    words = [{"revision": "a", "kernel": "1"}, {"revision": "b", "kernel": "1"}]
    words.append({"revision": "b", "kernel": "2"})
    runs = [replace(kept(n, revision=one)) for n, one in enumerate(words)]
    (one,) = of(*runs).series
    assert [night.run for night in renewals(levels(one))] == ["night-0002"]
    assert len(drawn(one).findall(".//path[@class='planned']")) == 1


def test_a_thousand_nights_are_lines_without_dots() -> None:
    figure = drawn(series(1000))
    assert figure.findall(".//circle") == []
    assert len(figure.find(".//path[@class='seen']").get("d").split("L")) == 1000


def test_equal_samples_still_make_a_picture() -> None:
    (one,) = of(kept(0, gb_s=(0.0, 0.0)), kept(1, gb_s=(0.0,))).series
    assert "nan" not in chart(one, (), "c")
