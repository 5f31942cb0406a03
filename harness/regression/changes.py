"""Change points: on which night a series became another one, and whether by a step, by a drift or
in its spread.

If a shape fits all nights better than chance does, it is a change, and the nights before and after
it are searched likewise. The level may step or drift, up or down; the spread may grow. A level that
moved by less than anybody would act on is left unnamed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.history import Series
from harness.history.series import Better
from harness.regression.night import Figure, figures, level, spread
from harness.regression.rules import RULES
from harness.regression.shapes import Shape, best, p_value

# A series that never changed is said to have changed less than once in a hundred, both searches
# together. A wider spread is hard to see and gets most of that.
ALPHA: dict[Figure, float] = {level: 0.002, spread: 0.007}
Kind = Literal["step", "drift", "spread"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`night` is the first that differs; of a drift, the first that is on its way."""

    night: int
    at_s: float
    run: str
    before: float  # the level, in the series' unit; of a spread, a share of the level
    after: float
    relative: float  # after / before - 1
    kind: Kind
    p: float

    def is_worse(self, better: Better) -> bool:
        """A wider spread is worse whatever is measured."""
        return (
            self.relative > 0 if self.kind == "spread" or better == "lower" else self.relative < 0
        )


def changes(series: Series) -> tuple[Change, ...]:
    """In the order of their nights; nights without samples show nothing."""
    found = [
        change
        for figure in (level, spread)
        for change in _found(_Row(series, figure), 0, sum(map(bool, _samples(series))))
    ]
    counts = (c for c in found if c.kind == "spread" or abs(c.relative) >= RULES.effect_min)
    return tuple(sorted(counts, key=lambda change: (change.night, change.kind)))


def _samples(series: Series) -> list[tuple[float, ...]]:
    return [night.samples for night in series.nights]


class _Row:
    """One figure a night, of the nights that have samples."""

    def __init__(self, series: Series, figure: Figure) -> None:
        self.series, self.figure = series, figure
        self.places = [place for place, samples in enumerate(_samples(series)) if samples]
        nights = [series.nights[place] for place in self.places]
        self.figures = figures(nights, series, figure)

    def change(self, shape: Shape, first: int, end: int, p: float) -> Change:
        """`shape` counts from night `first` of the row; nights from `end` on are other changes'."""
        left, right = first + shape.first, min(first + shape.end, end - 1)
        place = self.places[left]
        night = self.series.nights[place]
        old = float(np.median(self.figures[first:left]))
        new = float(np.median(self.figures[right:end]))
        kind: Kind = "drift" if shape.width > 1 else "step"
        return Change(
            night=place,
            at_s=night.at_s,
            run=night.run,
            before=old,
            after=new,
            relative=new / old - 1 if old else math.inf,
            kind="spread" if self.figure is spread else kind,
            p=p,
        )


def _found(row: _Row, first: int, end: int) -> Iterator[Change]:
    """The change of nights `first` to `end`, and those on either side of it."""
    seen, drifts = row.figures[first:end], row.figure is level
    p = p_value(seen, drifts=drifts)
    if p > ALPHA[row.figure]:
        return
    shape = best(seen, drifts=drifts)
    yield row.change(shape, first, end, p)
    yield from _found(row, first, first + shape.first)
    yield from _found(row, min(first + shape.end, end), end)
