"""What one night comes to: its level and its spread.

Other work on a machine only ever takes speed away, so the quartile on the better side varies less
from night to night than the median does, and follows a change of the whole as well. The spread is
that of Brown and Forsythe: how far samples lie from their night's median, as a share of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from harness.history import Night
from harness.history.series import Better

Array = np.ndarray
Figure = Callable[[Night, Better], float]
QUARTILE = {"higher": 0.75, "lower": 0.25}


def level(night: Night, better: Better) -> float:
    """The night's figure, in the series' unit."""
    return float(np.quantile(night.samples, QUARTILE[better]))


def spread(night: Night, better: Better) -> float:
    """The samples' mean distance from their median, as a share of it."""
    samples = np.asarray(night.samples)
    middle = float(np.median(samples))
    return float(np.mean(np.abs(samples - middle))) / abs(middle) if middle else 0.0


def figures(nights: Sequence[Night], better: Better, figure: Figure) -> Array:
    return np.array([figure(night, better) for night in nights])
