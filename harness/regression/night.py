"""What one night comes to: its level and its spread.

Other work on a machine only ever takes speed away, so the quartile on the better side varies less
from night to night than the median does, and follows a change of the whole as well. A share of the
siblings' figures errs to both sides alike: there the median is best. The spread is that of Brown
and Forsythe: how far samples lie from their night's median, as a share of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from harness.history import Night, Series

Array = np.ndarray
Figure = Callable[[Night, Series], float]
QUARTILE = {"higher": 0.75, "lower": 0.25}
BESIDE = "_beside"  # of a metric that is a share of the siblings'


def level(night: Night, of: Series) -> float:
    """The night's figure, in the series' unit."""
    share = of.key.metric.endswith(BESIDE)
    return float(np.quantile(night.samples, 0.5 if share else QUARTILE[of.better]))


def spread(night: Night, of: Series) -> float:
    """The samples' mean distance from their median, as a share of it."""
    samples = np.asarray(night.samples)
    middle = float(np.median(samples))
    return float(np.mean(np.abs(samples - middle))) / abs(middle) if middle else 0.0


def figures(nights: Sequence[Night], of: Series, figure: Figure) -> Array:
    return np.array([figure(night, of) for night in nights])
