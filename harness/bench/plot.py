"""Figures as one SVG, written by hand: bars of every case, and growth on log axes.

SVG is text, so a plot needs no library; the file stands alone and opens in any browser.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from harness.bench.growth import MEASURES, Point
from harness.bench.rows import Row

WIDTH, PANEL, MARGIN, GAP = 960, 260, 60, 46
COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#777777")
STYLE = "font:12px sans-serif"
DECADE = 10.0


def svg(rows: Sequence[Row], growth: Mapping[str, Sequence[Point]]) -> str:
    """All panels, one below the other."""
    cases = dict.fromkeys(row.case for row in rows)
    panels = [bars(case, [row for row in rows if row.case == case]) for case in cases]
    panels += [lines(name, points) for name, points in growth.items() if points]
    height = len(panels) * (PANEL + GAP) + GAP
    body = [
        f'<g transform="translate(0,{GAP + i * (PANEL + GAP)})">{panel}</g>'
        for i, panel in enumerate(panels)
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
    return "\n".join([f'{head} style="{STYLE};background:white">', *body, "</svg>"]) + "\n"


def bars(case: str, rows: Sequence[Row]) -> str:
    """A bar a row at its median, with a line from minimum to maximum."""
    shown = [row for row in rows if row.gb_s is not None]
    top = max((row.gb_s.most for row in shown if row.gb_s), default=1.0) * 1.05
    step = (WIDTH - 2 * MARGIN) / max(1, len(shown))
    names = list(dict.fromkeys(row.peer for row in rows))
    parts = [text(MARGIN, -8, f"{case}: GB/s, median with minimum and maximum"), axis(top)]
    for i, row in enumerate(shown):
        assert row.gb_s is not None
        left, colour = MARGIN + i * step, COLOURS[names.index(row.peer) % len(COLOURS)]
        high = PANEL * row.gb_s.median / top
        whisker = [PANEL - PANEL * value / top for value in (row.gb_s.least, row.gb_s.most)]
        middle = left + step * 0.4
        parts += [
            f'<rect x="{left:.1f}" y="{PANEL - high:.1f}" width="{step * 0.8:.1f}" '
            f'height="{high:.1f}" fill="{colour}"/>',
            line(middle, whisker[0], middle, whisker[1]),
            text(left, PANEL + 14, f"{row.channels} ch"),
        ]
    return "".join([*parts, legend(names)])


def lines(name: str, points: Sequence[Point]) -> str:
    """Costs against what was varied, relative to the first point, so that all share an axis."""
    series = {
        measure: [(float(p.x), getattr(p, measure) / getattr(points[0], measure)) for p in points]
        for measure in MEASURES
        if all(getattr(p, measure) > 0 for p in points)
    }
    every = [pair for pairs in series.values() for pair in pairs]
    wide = max(math.log(max(x for x, _ in every) / points[0].x, DECADE), 1e-9)
    least, most = (f(math.log(y, DECADE) for _, y in every) for f in (min, max))
    tall = max(most - least, 1e-9)
    parts = [text(MARGIN, -8, f"cost against {name}, relative to {name} = {points[0].x:,}")]
    for number, pairs in enumerate(series.values()):
        places = " ".join(
            f"{MARGIN + (WIDTH - 2 * MARGIN) * math.log(x / points[0].x, DECADE) / wide:.1f},"
            f"{PANEL - PANEL * (math.log(y, DECADE) - least) / tall:.1f}"
            for x, y in pairs
        )
        colour = COLOURS[number % len(COLOURS)]
        parts.append(
            f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
    for point in points:
        x = MARGIN + (WIDTH - 2 * MARGIN) * math.log(point.x / points[0].x, DECADE) / wide
        parts.append(text(x - 14, PANEL + 14, f"{point.x:,}"))
    for power in range(math.ceil(least), math.floor(most) + 1):
        y = PANEL - PANEL * (power - least) / tall
        parts += [line(MARGIN - 4, y, WIDTH - MARGIN, y, "#ddd"), text(4, y + 4, f"x10^{power}")]
    return "".join([*parts, legend(list(series))])


def axis(top: float) -> str:
    """Five lines from nothing to `top`."""
    values = [top * share / 4 for share in range(5)]
    places = [PANEL - PANEL * value / top for value in values]
    return "".join(
        line(MARGIN - 4, y, WIDTH - MARGIN, y, "#ddd") + text(8, y + 4, f"{value:.2f}")
        for value, y in zip(values, places, strict=True)
    )


def legend(names: Sequence[str]) -> str:
    return "".join(
        f'<rect x="{360 + i * 98}" y="-18" width="10" height="10" '
        f'fill="{COLOURS[i % len(COLOURS)]}"/>' + text(374 + i * 98, -8, name)
        for i, name in enumerate(names)
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str = "black") -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{colour}" stroke-width="1"/>'
    )


def text(x: float, y: float, words: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'
