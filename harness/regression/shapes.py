"""Steps and drifts in a row of figures: does any shape fit better than chance does, and which one.

A shape is flat, then rises or falls during `width` nights, then is flat again; of width 1 it is a
step. Whether is asked of the figures' ranks: what chance makes of so many of them is the same for
every row of that length, so it is drawn once and gives exact p-values, and one bad night weighs no
more than its place. Which is asked of the figures themselves, bad nights drawn in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.regression.night import Array
from harness.regression.scipy_stats import stats

SIDE = 3  # nights before and after: fewer are a bad night or two, which is no change yet
DRIFTS = (12, 16, 20, 26)  # nights; a faster drift is a step as far as anybody can see
DRAWS, AT_ONCE = 9999, 1111
AROUND = 5  # nights, whose median a bad night is far from
FAR = 3.0  # standard deviations
# A drift has one more number to fit than a step: so much more likely must it be, in logarithms.
DRIFT_GAIN = 2.0


@dataclass(frozen=True, slots=True)
class Shape:
    """Flat until night `first - 1`, flat again from night `end` on."""

    first: int
    width: int

    @property
    def end(self) -> int:
        return self.first + self.width - 1


@dataclass(frozen=True, slots=True)
class Shapes:
    """All shapes that so many nights can show, a row of mean 0 and length 1 for each."""

    shapes: tuple[Shape, ...]
    rows: Array
    chance: Array  # the best fits to nights in no order at all


@lru_cache(maxsize=512)
def shapes_of(nights: int, drifts: bool) -> Shapes:
    """With `drifts`, or steps alone."""
    steps = [Shape(first, 1) for first in range(SIDE, nights - SIDE + 1)]
    slow = [Shape(first, w) for w in DRIFTS for first in range(1, nights - w + 1)]
    shapes = tuple(steps + slow) if drifts else tuple(steps)
    places = np.arange(nights)
    rows = _standard(np.array([np.clip((places - s.first + 1) / s.width, 0, 1) for s in shapes]))
    return Shapes(shapes, rows, _chance(rows, both=drifts))


def _chance(rows: Array, *, both: bool) -> Array:
    """The best fit to nights in no order at all, drawn again and again; upwards, or of `both`."""
    order = np.random.default_rng(rows.shape[1])
    ranks = np.tile(np.arange(rows.shape[1], dtype=float), (AT_ONCE, 1))
    best_fits = []
    for _ in range(DRAWS // AT_ONCE):
        fits = _standard(order.permuted(ranks, axis=1)) @ rows.T
        best_fits.append(np.max(np.abs(fits) if both else fits, axis=1))
    return np.concatenate(best_fits)


def p_value(figures: Array, *, drifts: bool) -> float:
    """How often chance has a shape that fits as well; without `drifts`, a step upwards."""
    if len(figures) < 2 * SIDE or np.ptp(figures) == 0:
        return 1.0
    known = shapes_of(len(figures), drifts)
    fits = known.rows @ _standard(stats().rankdata(figures))
    top = float(np.max(np.abs(fits) if drifts else fits))
    return (1 + int(np.sum(known.chance >= top - 1e-12))) / (1 + DRAWS)


def best(figures: Array, *, drifts: bool) -> Shape:
    """The likeliest step, or the likeliest drift where that is so much likelier."""
    known = shapes_of(len(figures), drifts)
    fits = np.abs(known.rows @ _standard(drawn_in(figures)))
    steps = sum(shape.width == 1 for shape in known.shapes)
    step, top = int(np.argmax(fits[:steps])), int(np.argmax(fits))
    left = max(1 - float(fits[top]) ** 2, 1e-9)
    gain = len(figures) / 2 * math.log(max(1 - float(fits[step]) ** 2, 1e-9) / left)
    return known.shapes[top if gain > DRIFT_GAIN else step]


def drawn_in(figures: Array) -> Array:
    """Nights that are far from the median of those around them, brought nearer."""
    wide = np.pad(figures, AROUND // 2, mode="edge")
    around = np.median(np.lib.stride_tricks.sliding_window_view(wide, AROUND), axis=1)
    reach = FAR * float(stats().median_abs_deviation(figures - around, scale="normal"))
    result: Array = np.clip(figures, around - reach, around + reach) if reach else figures
    return result


def _standard(rows: Array) -> Array:
    centred = rows - rows.mean(axis=-1, keepdims=True)
    result: Array = centred / np.linalg.norm(centred, axis=-1, keepdims=True)
    return result
