"""Change points: on which night a series became another one, and whether by a step, by a drift or
in its spread.

If a shape fits all nights better than chance does, it is a change, and the nights before and after
it are searched likewise. The level may step or drift, up or down; the spread may grow. What became
of it is asked of the nights up to its neighbours: what was lost for a while may be seen by its end
first, and the nights before that were mostly good. A level that moved by less than anybody would
act on is left unnamed; its nights count with those around it, so that many such moves are seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.history import Series
from harness.history.series import Better
from harness.regression.night import Figure, figures, level, spread
from harness.regression.rules import RULES
from harness.regression.shapes import best, p_value

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
    found = [change for figure in (level, spread) for change in _counting(_Row(series, figure))]
    return tuple(sorted(found, key=lambda change: (change.night, change.kind)))


def _samples(series: Series) -> list[tuple[float, ...]]:
    return [night.samples for night in series.nights]


@dataclass(frozen=True, slots=True, order=True)
class _Cut:
    """Nights of a row before `first` and from `end` on differ; of a step these are the same."""

    first: int
    end: int
    p: float


class _Row:
    """One figure a night, of the nights that have samples."""

    def __init__(self, series: Series, figure: Figure) -> None:
        self.series, self.figure = series, figure
        self.places = [place for place, samples in enumerate(_samples(series)) if samples]
        nights = [series.nights[place] for place in self.places]
        self.figures = figures(nights, series, figure)

    def changes(self, cuts: Sequence[_Cut]) -> list[Change]:
        """One a cut, in their order."""
        if not cuts:
            return []
        firsts = [0, *(cut.end for cut in cuts)]
        ends = [*(cut.first for cut in cuts), len(self.figures)]
        levels = [
            float(np.median(self.figures[first:end]))
            for first, end in zip(firsts, ends, strict=True)
        ]
        return list(map(self._change, cuts, levels, levels[1:]))

    def _change(self, cut: _Cut, before: float, after: float) -> Change:
        place = self.places[cut.first]
        night = self.series.nights[place]
        kind: Kind = "drift" if cut.end > cut.first else "step"
        return Change(
            night=place,
            at_s=night.at_s,
            run=night.run,
            before=before,
            after=after,
            relative=after / before - 1 if before else math.inf,
            kind="spread" if self.figure is spread else kind,
            p=cut.p,
        )


def _counting(row: _Row) -> list[Change]:
    """Without those that nobody acts on, the least of them first: the others are told anew."""
    cuts = sorted(_found(row, 0, len(row.figures)))
    found = row.changes(cuts)
    while small := [c for c in found if c.kind != "spread" and abs(c.relative) < RULES.effect_min]:
        del cuts[found.index(min(small, key=lambda change: abs(change.relative)))]
        found = row.changes(cuts)
    return found


def _found(row: _Row, first: int, end: int) -> Iterator[_Cut]:
    """Where nights `first` to `end` change, and those on either side of it."""
    seen, drifts = row.figures[first:end], row.figure is level
    p = p_value(seen, drifts=drifts)
    if p > ALPHA[row.figure]:
        return
    shape = best(seen, drifts=drifts)
    cut = _Cut(first + shape.first, first + shape.end, p)
    yield cut
    yield from _found(row, first, cut.first)
    yield from _found(row, cut.end, end)
