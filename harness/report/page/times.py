"""How long iterations took: a histogram for each plan that was repeated often enough.

Times of different plans are never mixed. They are the client's: from the first post of an iteration
to the server's word that it is verified, or to the last send where the plan does not wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.evidence import IterationDone
from harness.report.exchanges import Told
from harness.report.page.markup import Markup, el, join
from harness.report.page.svg import Plot, Scale, line, picture, rect, text
from harness.report.page.table import as_table, table
from harness.report.page.units import block, seconds
from harness.verdict import counted

WIDTH, HEIGHT = 460.0, 200.0
ENOUGH = 8  # iterations that make a histogram
MOST = 6  # histograms; the table has all plans
BARS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    plan: str
    taken_s: tuple[float, ...]  # in order of size

    def at(self, share: float) -> float:
        """The time that so large a share of the iterations did not exceed: one of those seen."""
        return self.taken_s[min(int(share * len(self.taken_s)), len(self.taken_s) - 1)]


def all_times(told: Sequence[Told]) -> list[Times]:
    """The plan with most iterations first."""
    groups: dict[str, list[float]] = {}
    for one in told:
        for done in one.seen.seen(IterationDone, role="client"):
            taken_s = done.record.ended_s - done.record.started_s
            groups.setdefault(_plan(one), []).append(taken_s)
    found = [Times(plan=plan, taken_s=tuple(sorted(taken))) for plan, taken in groups.items()]
    return sorted(found, key=lambda times: -len(times.taken_s))


def histograms(told: Sequence[Told]) -> Markup:
    found = all_times(told)
    if not found:
        return el("p", "No iteration was timed.")
    shown = [times for times in found if len(times.taken_s) >= ENOUGH][:MOST]
    few = f"No plan had {ENOUGH} iterations or more; the table has those that were."
    return join(
        [_figure(times, f"times-{at}") for at, times in enumerate(shown)] or el("p", few),
        as_table("The same as a table, with all plans", _table(found)),
    )


def _plan(told: Told) -> str:
    plan = told.seen.plan
    return (
        f"{plan.program or plan.exercise}, {counted(plan.channels, 'channel')}, "
        f"{block(plan.size_bytes)} an iteration, chunks of {block(plan.chunk_bytes)}, "
        f"{plan.memory} memory"
    )


def _figure(times: Times, name: str) -> Markup:
    low, high = times.taken_s[0], times.taken_s[-1]
    unit, scale = ("ms", 1e3) if high < 1 else ("s", 1.0)
    counts = _counts(times.taken_s)
    plot = Plot(
        x=Scale(low * scale, high * scale, 44, WIDTH - 16),
        y=Scale(0, max(counts), HEIGHT - 40, 34),
    )
    wide = (plot.x.end - plot.x.start) / BARS
    middle = plot.x(times.at(0.5) * scale)
    return el(
        "figure",
        picture(
            name,
            f"Iteration times of {times.plan}",
            _summary(times),
            WIDTH,
            HEIGHT,
            plot.axes(
                f"time of an iteration, {unit}",
                "iterations",
                x_ticks=plot.x.ticks(5),
                y_most=min(max(counts), 4),
            ),
            [
                rect(plot.x.start + at * wide, plot.y(n), wide - 1, plot.y(0) - plot.y(n), "bar")
                for at, n in enumerate(counts)
                if n
            ],
            line([(middle, plot.y(0)), (middle, 18)], "limit"),
            text(middle, 13, f"median {seconds(times.at(0.5))}", "dim", "middle"),
        ),
        el("figcaption", f"{times.plan[:1].upper()}{times.plan[1:]}. {_summary(times)}"),
        class_="histogram",
    )


def _counts(taken_s: Sequence[float]) -> list[int]:
    low, span = taken_s[0], taken_s[-1] - taken_s[0]
    counts = [0] * BARS
    for one in taken_s:
        counts[min(int((one - low) / span * BARS), BARS - 1) if span else 0] += 1
    return counts


def _summary(times: Times) -> str:
    return (
        f"{counted(len(times.taken_s), 'iteration')}: median {seconds(times.at(0.5))}, "
        f"95% within {seconds(times.at(0.95))}, slowest {seconds(times.taken_s[-1])}."
    )


def _table(found: Sequence[Times]) -> Markup:
    rows = [
        (
            times.plan,
            f"{len(times.taken_s):,}",
            *(seconds(times.at(share)) for share in (0.0, 0.5, 0.95, 0.99, 1.0)),
        )
        for times in found
    ]
    heads = ("plan", "iterations", "fastest", "median", "95%", "99%", "slowest")
    return table("Iteration times by plan", heads, rows, numeric=range(1, 7))
