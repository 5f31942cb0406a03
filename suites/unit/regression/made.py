"""Series from numbers: the material of the regression's tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.history import Key, Night, Series
from harness.history.series import Better

DAY_S = 86_400.0
K = 10


def series(
    levels: Sequence[float],
    *,
    subject: str = "eth1",
    metric: str = "gb_s",
    better: Better = "higher",
    fingerprint: str = "bed",
    within: float = 0.02,
    samples: int = K,
    seed: int = 1,
) -> Series:
    """A night a level, a day apart; samples lie around it, as a share of it."""
    chance = np.random.default_rng(seed)
    nights = tuple(
        Night(
            run=f"run-{number}",
            at_s=DAY_S * number,
            samples=tuple(map(float, level * (1 + within * chance.standard_normal(samples)))),
        )
        for number, level in enumerate(levels)
    )
    key = Key(fingerprint=fingerprint, plan="plan", metric=metric, subject=subject)
    return Series(key=key, better=better, nights=nights)


def flat(nights: int, noise: float = 0.01, seed: int = 2) -> np.ndarray:
    """Levels around 1."""
    return 1 + noise * np.random.default_rng(seed).standard_normal(nights)


def parted(whole: Series) -> tuple[Series, Series]:
    """The last night, and those before."""
    return replace(whole, nights=whole.nights[-1:]), replace(whole, nights=whole.nights[:-1])
