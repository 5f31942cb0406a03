"""Pictures as inline SVG: a frame with a title and a description, scales, axes, and a few shapes.

Colours come from style.css by class. Shapes carry a plain fill and stroke besides, so that a page
whose styles are blocked still shows lines and no black boxes. A picture never says by colour alone
what it says, and has a table beside it (`as_table`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.report.page.markup import Child, Markup, el

Point = tuple[float, float]


def picture(
    name: str, title: str, description: str, width: float, height: float, *children: Child
) -> Markup:
    """`name` is unique on the page."""
    return el(
        "svg",
        el("title", title, id=f"{name}-title"),
        el("desc", description, id=f"{name}-desc"),
        *children,
        viewBox=f"0 0 {_short(width)} {_short(height)}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        width=width,
        height=height,
    )


def pan(shown: Markup, what: str) -> Markup:
    """A wide picture that scrolls by itself on a narrow screen, by keyboard too."""
    return el("div", shown, class_="pan", role="group", aria_label=what, tabindex=0)


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to places, straight."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)

    def ticks(self, most: int = 5) -> list[float]:
        """Round values inside, at most so many: steps of 1, 2 or 5 times a power of ten."""
        span = self.high - self.low
        if span <= 0:
            return [self.low]
        rough = span / most
        power = 10 ** math.floor(math.log10(rough))
        step = next(n * power for n in (1, 2, 5, 10) if n * power >= rough * (1 - 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [n * step for n in range(first, last + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A field with an axis below and one at the left."""

    x: Scale
    y: Scale

    def axes(
        self,
        x_name: str,
        y_name: str,
        *,
        x_ticks: Sequence[float] | None = None,
        y_most: int = 4,
    ) -> Markup:
        """Names of the axes hold the units."""
        xs = self.x.ticks(8) if x_ticks is None else x_ticks
        ys = self.y.ticks(y_most)
        left, right, bottom, top = self.x.start, self.x.end, self.y.start, self.y.end
        return el(
            "g",
            [line([(left, self.y(v)), (right, self.y(v))], "grid") for v in ys],
            line([(left, bottom), (right, bottom)], "axis"),
            [text(left - 6, self.y(v) + 4, tick(v, ys), "tick", "end") for v in ys],
            [text(self.x(v), bottom + 16, tick(v, xs), "tick", "middle") for v in xs],
            text(right, bottom + 32, x_name, "name", "end"),
            text(left, top - 8, y_name, "name"),
            aria_hidden="true",
        )

    def at(self, points: Iterable[Point]) -> list[Point]:
        return [(self.x(x), self.y(y)) for x, y in points]


def tick(value: float, among: Sequence[float]) -> str:
    """With as many decimals as the steps between ticks need."""
    step = min((b - a for a, b in pairwise(among)), default=1.0)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    return f"{value:,.{decimals}f}"


def line(points: Sequence[Point], class_: str) -> Markup:
    """A line through the points."""
    d = "M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in points)
    return el("path", d=d, class_=class_, fill="none", stroke="currentColor")


def steps(edges: Sequence[tuple[float, float, float]], base: float, class_: str) -> Markup:
    """An area of steps over `base`; each is (from, to, height), and gaps stay empty."""
    parts = []
    at: Point | None = None
    for start, end, height in edges:
        if at is None or start > at[0] + 0.01:
            parts.append(
                f"{'' if at is None else f'V{_short(base)}Z'}M{_short(start)} {_short(base)}"
            )
        parts.append(f"V{_short(height)}H{_short(end)}")
        at = (end, height)
    closed = f"V{_short(base)}Z" if parts else ""
    return el(
        "path", d="".join(parts) + closed, class_=class_, fill="currentColor", fill_opacity=0.3
    )


def rect(x: float, y: float, width: float, height: float, class_: str) -> Markup:
    return el(
        "rect",
        x=_short(x),
        y=_short(y),
        width=_short(width),
        height=_short(height),
        class_=class_,
        fill="none",
        stroke="currentColor",
    )


def dot(x: float, y: float, radius: float, class_: str, title: str = "") -> Markup:
    return el(
        "circle",
        el("title", title) if title else None,
        cx=_short(x),
        cy=_short(y),
        r=_short(radius),
        class_=class_,
        fill="currentColor",
    )


def text(x: float, y: float, words: str, class_: str, anchor: str = "start") -> Markup:
    return el(
        "text",
        words,
        x=_short(x),
        y=_short(y),
        class_=class_,
        text_anchor=anchor,
        fill="currentColor",
    )


def _short(value: float) -> str:
    """A tenth of a pixel is enough for anybody."""
    return f"{value:.1f}".removesuffix(".0")
