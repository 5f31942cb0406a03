"""A series as a small picture: the median of each night, its quartiles, and where it changed.

The field is at least a tenth of the level high, so that noise of a percent looks like noise of a
percent in every picture of the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, quantiles

from harness.history import Night, Series
from harness.history.blame import TOLD
from harness.report.page.markup import Child, Markup, el
from harness.report.page.svg import Plot, Point, Scale, dot, line, picture, text
from harness.report.page.units import metric, value
from harness.report.trend.past import Change, is_long_enough
from harness.report.trend.words import day, kind
from harness.verdict import counted

WIDTH, HEIGHT = 380.0, 176.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 10.0, 34.0, 26.0
LEAST = 0.1  # of the level, between the lowest and the highest that the field shows
FEW = 80  # nights whose dots can still be told apart
OWN = (TOLD, "harness")  # words that change with every revision: no line for those


@dataclass(frozen=True, slots=True)
class Level:
    """What a night's samples come to."""

    night: Night
    low: float
    middle: float
    high: float


def levels(series: Series) -> list[Level]:
    """Of the nights that have samples."""
    return [_level(night) for night in series.nights if night.samples]


def _level(night: Night) -> Level:
    if len(night.samples) < 4:  # quartiles of so few would be made up
        return Level(night, min(night.samples), median(night.samples), max(night.samples))
    return Level(night, *quantiles(night.samples, n=4, method="inclusive"))


def chart(series: Series, changes: Sequence[Change], name: str) -> Markup:
    """`name` is unique on the page."""
    found = levels(series)
    title = f"{series.key.subject}, {metric(series.key.metric)}"
    told = summary(series, found, changes)
    plot = _plot(found)
    return el(
        "figure",
        el("figcaption", el("strong", title)),
        picture(name, title, told, WIDTH, HEIGHT, _drawn(series, found, changes, plot)),
        el("p", told, class_="meta"),
    )


def summary(series: Series, found: Sequence[Level], changes: Sequence[Change]) -> str:
    """The picture in words, and what cannot be seen in it."""
    if not found:
        return f"{counted(len(series.nights), 'night')}, none with a sample that counts."
    name, last = series.key.metric, found[-1]
    samples = sum(len(one.night.samples) for one in found)
    out = sum(night.excluded for night in series.nights)
    words = [f"{counted(len(found), 'night')}, {counted(samples, 'sample')}"]
    words += [f"{out} excluded"] if out else []
    words.append(f"{day(last.night.at_s)}: {value(name, last.middle)}")
    words += [
        f"{day(series.nights[one.night].at_s)}: {kind(one)}, "
        f"{'worse' if one.is_worse(series.better) else 'better'}"
        for one in changes
    ] or ["no change" if is_long_enough(series) else "too few nights to tell a change"]
    return "; ".join(words) + "."


def _plot(found: Sequence[Level]) -> Plot:
    times = [one.night.at_s for one in found] or [0.0]
    low, high = min((one.low for one in found), default=0), max((o.high for o in found), default=1)
    more = max(0.0, LEAST * (low + high) / 2 - (high - low)) / 2 + 0.06 * (high - low)
    return Plot(
        x=Scale(times[0], times[-1], LEFT, WIDTH - RIGHT),
        y=Scale(low - more, high + more, HEIGHT - BOTTOM, TOP),
    )


def _drawn(
    series: Series, found: Sequence[Level], changes: Sequence[Change], plot: Plot
) -> list[Child]:
    middles = plot.at((one.night.at_s, one.middle) for one in found)
    return [
        plot.axes("", "", x_ticks=(), y_most=3),
        [_days(plot) if found else None],
        [_renewed(plot, one) for one in renewals(found)],
        _band(plot, found) if len(found) > 1 else None,
        line(middles, "seen") if len(found) > 1 else None,
        [dot(x, y, 2, "seen-dot") for x, y in middles] if len(middles) <= FEW else None,
        [_change(plot, series, one, row) for row, one in enumerate(changes)],
    ]


def _days(plot: Plot) -> list[Markup]:
    """The first and the last."""
    below = plot.y.start + 18
    first, last = day(plot.x.low), day(plot.x.high)
    shown = [text(plot.x.start, below, first, "tick")]
    return shown + ([text(plot.x.end, below, last, "tick", "end")] if last != first else [])


def _band(plot: Plot, found: Sequence[Level]) -> Markup:
    """Between the quartiles."""
    around: list[Point] = [
        *plot.at((one.night.at_s, one.high) for one in found),
        *plot.at((one.night.at_s, one.low) for one in reversed(found)),
    ]
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in around) + "Z"
    return el("path", d=d, class_="together", fill="currentColor", fill_opacity=0.2)


def renewals(found: Sequence[Level]) -> list[Night]:
    """The first nights with another kernel, driver, firmware or plugin."""
    return [after.night for before, after in pairwise(found) if _bench(before) != _bench(after)]


def _bench(one: Level) -> dict[str, str]:
    return {what: which for what, which in one.night.revision.items() if what not in OWN}


def _renewed(plot: Plot, night: Night) -> Markup:
    x = plot.x(night.at_s)
    return line([(x, plot.y.start + 4), (x, plot.y.end)], "planned")


def _change(plot: Plot, series: Series, change: Change, row: int) -> Markup:
    """A line from the words down; words of neighbours stand in two rows."""
    x = plot.x(series.nights[change.night].at_s)
    words = kind(change).replace(" of", "")
    place = "end" if x > WIDTH * 0.6 else "start"
    colour = "is-FAIL" if change.is_worse(series.better) else "is-PASS"
    above = 12 + 14 * (row % 2)
    return el(
        "g",
        line([(x, plot.y.start), (x, above + 4)], "limit"),
        text(x + (-4 if place == "end" else 4), above, words, colour, place),
    )
