"""GB/s of each data NIC over time: a strip a NIC, a column a node, one scale for all."""

from __future__ import annotations

from collections.abc import Sequence

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
    peak = max(gb_s for one in bins.values() for _, _, gb_s in one)
    top = max([peak * 1.05, *(limits_gb_s.get(port, 0.0) * 1.1 for port in ours)]) or 1.0
    nodes = list(dict.fromkeys(node for node, _ in ours))[:MOST_NODES]
    return join(
        [
            _figure(
                [port for port in ours if port[0] in pair][: 2 * MOST_NICS],
                pair,
                bins,
                span,
                top,
                f"{name}-{at}",
                limits_gb_s,
            )
            for at in range(0, len(nodes), 2)
            for pair in [nodes[at : at + 2]]
        ],
        el("p", f"Strips of the first {MOST_NODES} nodes.") if len(nodes) == MOST_NODES else None,
        as_table("The same as a table", _table(found, bins)),
    )


def _figure(
    ports: Sequence[Port],
    nodes: Sequence[str],
    bins: dict[Port, list[Step]],
    span: Span,
    top: float,
    name: str,
    limits_gb_s: dict[Port, float],
) -> Markup:
    columns = [[port for port in ports if port[0] == node] for node in nodes]
    rows = max(map(len, columns))
    bottom = TOP + rows * STRIP
    wide = (WIDTH - GUTTER) / len(columns) if len(columns) > 1 else WIDTH
    drawn = []
    for at, column in enumerate(columns):
        left = at * (wide + GUTTER / max(len(columns) - 1, 1) * (len(columns) - 1)) + LEFT
        right = left - LEFT + wide - 4
        drawn.append(text(left, 14, nodes[at], "strong"))
        for row, port in enumerate(column):
            base = TOP + (row + 1) * STRIP - 14
            plot = Plot(x=Scale(*span, left, right), y=Scale(0, top, base, base - STRIP + 26))
            drawn.append(_strip(plot, port, bins[port], limits_gb_s.get(port, 0.0)))
        drawn.append(_time_axis(Scale(*span, left, right), bottom))
    return el(
        "figure",
        pan(
            picture(
                f"{name}-rates",
                f"GB/s per NIC over time on {' and '.join(nodes)}",
                f"{len(ports)} strips from 0 to {top:.2f} GB/s; the table below has their figures.",
                WIDTH,
                bottom + 36,
                *drawn,
            ),
            "GB/s over time",
        ),
        el(
            "figcaption",
            "Both directions together, by the NIC's own counters: a step a sample, or the mean of "
            f"1/{BINS} of the time where there are more. Dashed: the line's rate, one direction. "
            "Empty: nobody looked.",
        ),
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
