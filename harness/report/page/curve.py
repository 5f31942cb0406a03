"""The scaling curve: GB/s of 1 to N channels beside what their lines can carry.

Only like is compared with like: exchanges of one exercise, memory, transport and chunk, of equal
bytes a channel, whose claims all hold. The largest such group of several channel counts is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.exchanges import Told
from harness.report.page.markup import Markup, el, join
from harness.report.page.run import worst_of
from harness.report.page.svg import Plot, Scale, dot, line, picture, text
from harness.report.page.table import as_table, table
from harness.report.page.units import block, rate
from harness.verdict import Outcome
from harness.verdict.limits import LIMITS
from harness.verdict.speed import line_gb_s

WIDTH, HEIGHT = 640.0, 320.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """All exchanges of so many channels; the fastest counts, as in the claim `rate`."""

    channels: int
    gb_s: tuple[float, ...]
    line_gb_s: float  # 0: no rate is stated

    @property
    def best(self) -> float:
        return max(self.gb_s)


def points(told: Sequence[Told]) -> tuple[str, list[Point]]:
    """What was moved, in words, and a point for each channel count; [] when there is no curve."""
    groups: dict[tuple[object, ...], list[Told]] = {}
    for one in told:
        if one.seen.gb_s > 0 and one.bytes and worst_of(one) is Outcome.PASS:
            groups.setdefault(_alike(one), []).append(one)
    curves = [group for group in groups.values() if len({_n(one) for one in group}) > 1]
    if not curves:
        return "", []
    largest = max(curves, key=lambda group: sum(one.bytes for one in group))
    counts = sorted({_n(one) for one in largest})
    return _words(largest[0]), [_point(n, [o for o in largest if _n(o) == n]) for n in counts]


def curve(told: Sequence[Told]) -> Markup:
    what, found = points(told)
    if not found:
        return el(
            "p",
            "No two green exchanges differ in their channels alone: there is no curve to draw.",
        )
    return join(
        el("figure", _picture(found), el("figcaption", _caption(what))),
        as_table("The same as a table", _table(found)),
    )


def _n(told: Told) -> int:
    return told.seen.plan.channels


def _alike(told: Told) -> tuple[object, ...]:
    plan, planned = told.seen.plan, told.seen.planned
    each = plan.total_bytes // plan.channels
    shape = (plan.program or plan.exercise, plan.memory, plan.transport, plan.chunk_bytes)
    return (*shape, plan.distribution, plan.prepared, each, planned.server, planned.client)


def _words(told: Told) -> str:
    plan = told.seen.plan
    each = block(plan.total_bytes / plan.channels)
    who = plan.program or plan.exercise
    return f"{who}, {plan.memory} memory, {each} a channel in chunks of {block(plan.chunk_bytes)}"


def _point(channels: int, group: list[Told]) -> Point:
    return Point(
        channels=channels,
        gb_s=tuple(one.seen.gb_s for one in group),
        line_gb_s=max(line_gb_s(one.seen) for one in group),
    )


def _caption(what: str) -> str:
    return (
        f"{what[:1].upper()}{what[1:]}. Line: the fastest exchange of each count; dots: every one. "
        "Dashed: what the lines carry less headers. Dotted: the share of it that a rate must "
        f"reach, {LIMITS.rate_share:.0%}."
    )


def _picture(found: Sequence[Point]) -> Markup:
    top = max(max(point.best, point.line_gb_s) for point in found) * 1.12
    most = found[-1].channels
    plot = Plot(x=Scale(0, most + 0.3, 56, WIDTH - 90), y=Scale(0, top, HEIGHT - 44, 26))
    stated = [point for point in found if point.line_gb_s]
    expected = plot.at((p.channels, p.line_gb_s) for p in stated)
    least = plot.at((p.channels, p.line_gb_s * LIMITS.rate_share) for p in stated)
    best = plot.at((p.channels, p.best) for p in found)
    x, y = best[-1]
    return picture(
        "curve",
        "GB/s by number of channels",
        "; ".join(f"{p.channels} channels {rate(p.best)} of {rate(p.line_gb_s)}" for p in found),
        WIDTH,
        HEIGHT,
        plot.axes("channels", "GB/s", x_ticks=[p.channels for p in found]),
        line(expected, "limit") if stated else None,
        line(least, "least") if stated else None,
        line(best, "seen"),
        [
            dot(plot.x(p.channels), plot.y(gb_s), 4, "seen-dot", rate(gb_s))
            for p in found
            for gb_s in p.gb_s
        ],
        text(x + 10, y + 14, rate(found[-1].best), "strong"),
        text(expected[-1][0] + 10, expected[-1][1] - 4, f"of {rate(stated[-1].line_gb_s)}", "dim")
        if stated
        else None,
    )


def _table(found: Sequence[Point]) -> Markup:
    one = found[0]
    rows = [
        (
            p.channels,
            len(p.gb_s),
            rate(p.best),
            rate(p.line_gb_s) if p.line_gb_s else "not stated",
            f"{p.best / p.line_gb_s:.1%}" if p.line_gb_s else "",
            f"{p.best / one.best:.2f} of {p.channels / one.channels:g}",
        )
        for p in found
    ]
    heads = ("channels", "exchanges", "fastest", "expected", "share", "times the first")
    return table("Throughput by channels", heads, rows, numeric=range(6))
