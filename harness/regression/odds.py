"""One more night beside good ones: how far it lies, and how odd that would be.

Nights differ more among themselves than samples do within one, so a night counts once, by its
level. The good nights' own spread says how far one more may lie: Student's t, one value against
many. How far any of them lies from the others is what like compared with like can show, and what
nobody acts on need not be shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.history.series import Better
from harness.regression.night import Array
from harness.regression.rules import RULES
from harness.regression.scipy_stats import stats


@dataclass(frozen=True, slots=True)
class Odds:
    """`effect` is over the good nights' mean - 1, `floor` the least that counts."""

    effect: float
    floor: float
    p: float

    def is_worse(self, better: Better, p_max: float) -> bool:
        """Odd, further than what counts, and to the bad side."""
        to_the_bad = self.effect < 0 if better == "higher" else self.effect > 0
        return to_the_bad and self.is_odd(p_max)

    def is_odd(self, p_max: float) -> bool:
        return self.p <= p_max and abs(self.effect) > self.floor


def odds(level: float, good: Array) -> Odds:
    """`good` are the levels of two nights or more."""
    mean = float(good.mean())
    if np.ptp(good) == 0:  # nights that are all alike leave nothing to chance
        return Odds(level / mean - 1, RULES.effect_min, 1.0 if level == mean else 0.0)
    p = float(stats().ttest_ind([level], good).pvalue)
    return Odds(level / mean - 1, max(noise(good), RULES.effect_min), p)


def noise(good: Array) -> float:
    """The most that any good night differs from the others, as a share of them."""
    others = (good.sum() - good) / (len(good) - 1)
    return float(np.max(np.abs(good / others - 1)))
