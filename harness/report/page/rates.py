"""GB/s of each data NIC over time: a strip a NIC, a column a node, one scale for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.page.markup import Markup, el, join
from harness.report.page.pace import Interval, Port, Step, stepped
from harness.report.page.svg import Plot, Scale, line, pan, picture, steps, text
from harness.report.page.table import as_table, table
from harness.report.page.units import rate, seconds

WIDTH, STRIP, TOP = 1120.0, 70.0, 34.0
LEFT, GUTTER = 46.0, 26.0
BINS = 360
MOST_NODES, MOST_NICS = 8, 16
Span = tuple[float, float]
CAPTION = (
    "Both directions together, by the NIC's own counters: a step a sample, or the mean of "
    f"1/{BINS} of the time where there are more. Dashed: the line's rate, one direction. "
    "Empty: nobody looked."
)


@dataclass(frozen=True, slots=True)
class Strips:
    """What all strips of a page have in common: the NICs' steps, the time, the greatest GB/s."""

    bins: dict[Port, list[Step]]
    span: Span
    top: float
    limits_gb_s: dict[Port, float]

    def column(self, node: str, ports: Sequence[Port], left: float, right: float) -> list[Markup]:
        """One node's, from the top down."""
        drawn = [text(left, 14, node, "strong")]
        for row, port in enumerate(ports):
            base = TOP + (row + 1) * STRIP - 14
            y = Scale(0, self.top, base, base - STRIP + 26)
            plot = Plot(x=Scale(*self.span, left, right), y=y)
            drawn.append(_strip(plot, port, self.bins[port], self.limits_gb_s.get(port, 0.0)))
        return drawn


def rates(
    found: dict[Port, list[Interval]],
    shown: Sequence[Port],
    span: Span,
    name: str,
    *,
    limits_gb_s: dict[Port, float],
) -> Markup:
    """`shown` are the NICs with a strip; the table has all."""
    ours = [port for port in shown if found.get(port)]
    if not ours or span[1] <= span[0]:
        return el("p", "No observer counted anything.")
    bins = {port: stepped(found[port], *span, BINS) for port in ours}
    strips = Strips(bins, span, _top(bins, limits_gb_s), limits_gb_s)
    nodes = list(dict.fromkeys(node for node, _ in ours))[:MOST_NODES]
    return join(
        [
            _figure(strips, ours, nodes[at : at + 2], f"{name}-{at}")
            for at in range(0, len(nodes), 2)
        ],
        el("p", f"Strips of the first {MOST_NODES} nodes.") if len(nodes) == MOST_NODES else None,
        as_table("The same as a table", _table(found, bins)),
    )


def _top(bins: dict[Port, list[Step]], limits_gb_s: dict[Port, float]) -> float:
    """Of the one scale: a little above all that was seen, and above the lines' rates."""
    peak = max(gb_s for one in bins.values() for _, _, gb_s in one)
    return max([peak * 1.05, *(limits_gb_s.get(port, 0.0) * 1.1 for port in bins)]) or 1.0


def _figure(strips: Strips, ports: Sequence[Port], nodes: Sequence[str], name: str) -> Markup:
    """Two nodes beside each other, or one over the whole width."""
    shown = [port for port in ports if port[0] in nodes][: 2 * MOST_NICS]
    columns = [[port for port in shown if port[0] == node] for node in nodes]
    bottom = TOP + max(map(len, columns)) * STRIP
    wide = (WIDTH - GUTTER) / 2 if len(nodes) > 1 else WIDTH
    drawn: list[Markup] = []
    for at, (node, column) in enumerate(zip(nodes, columns, strict=True)):
        left, right = at * (wide + GUTTER) + LEFT, at * (wide + GUTTER) + wide - 4
        drawn += strips.column(node, column, left, right)
        drawn.append(_time_axis(Scale(*strips.span, left, right), bottom))
    told = (
        f"{len(shown)} strips from 0 to {strips.top:.2f} GB/s; the table below has their figures."
    )
    title = f"GB/s per NIC over time on {' and '.join(nodes)}"
    return el(
        "figure",
        pan(picture(f"{name}-rates", title, told, WIDTH, bottom + 36, *drawn), "GB/s over time"),
        el("figcaption", CAPTION),
    )


def _strip(plot: Plot, port: Port, bins: list[Step], limit_gb_s: float) -> Markup:
    x, y = plot.x, plot.y
    edges = [(x(start), x(end), y(gb_s)) for start, end, gb_s in bins]
    dashed = line([(x.start, y(limit_gb_s)), (x.end, y(limit_gb_s))], "limit")
    return el(
        "g",
        line([(x.start, y.start), (x.end, y.start)], "axis"),
        steps(edges, y.start, "fill"),
        dashed if limit_gb_s else None,
        text(x.start - 8, y.start, port[1], "strong", "end"),
        text(x.end, y(limit_gb_s) - 4, f"{limit_gb_s:.3f} GB/s", "dim", "end")
        if limit_gb_s
        else None,
    )


def _time_axis(scale: Scale, bottom: float) -> Markup:
    return el(
        "g",
        [text(scale(v), bottom + 6, f"{v:g}", "tick", "middle") for v in scale.ticks(6)],
        text(scale.end, bottom + 22, "time, s", "name", "end"),
        aria_hidden="true",
    )


def _table(found: dict[Port, list[Interval]], bins: dict[Port, list[Step]]) -> Markup:
    rows = []
    for (node, nic), all_of in sorted(found.items()):
        observed_s = sum(one.end_s - one.start_s for one in all_of)
        sent, received = (sum(getattr(o, f"{way}_bytes") for o in all_of) for way in WAYS)
        peak = max((gb_s for _, _, gb_s in bins.get((node, nic), [])), default=None)
        rows.append(
            (
                f"{node}/{nic}",
                f"{sent:,}",
                f"{received:,}",
                seconds(observed_s),
                rate((sent + received) / observed_s / 1e9),
                rate(peak) if peak is not None else "",
            )
        )
    heads = ("NIC", "bytes sent", "bytes received", "observed", "mean", "highest step")
    return table("Counters of every NIC while observed", heads, rows, numeric={1, 2, 3, 4, 5})


WAYS = ("sent", "received")
