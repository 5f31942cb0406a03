"""A NIC beside its siblings: its share of what the others had in the same exchanges.

What makes a whole night slow makes all NICs slow, so the share varies several times less from night
to night than the figure itself, and one NIC that lost a little stands out on machines where nobody
could tell by the figure. It says nothing of a change that all NICs have in common.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.history import Night, Series
from harness.regression.night import BESIDE

OF = "gb_s"
WHOLE = re.compile(r"\d+ (channel|rail)s?")
LEAST = 3  # NICs: of two nobody could say which one changed


def beside(series: Sequence[Series]) -> list[Series]:
    """One more series for every NIC that shares its plan with others."""
    groups: dict[tuple[str, str], list[Series]] = {}
    for one in series:
        if one.key.metric == OF and not WHOLE.fullmatch(one.key.subject):
            groups.setdefault((one.key.fingerprint, one.key.plan), []).append(one)
    made = (
        _beside(one, [other for other in group if other is not one])
        for group in groups.values()
        if len(group) >= LEAST
        for one in group
    )
    return [one for one in made if one.nights]


def _beside(own: Series, others: Sequence[Series]) -> Series:
    """Nights that all of them have."""
    known = [{night.run: night for night in other.nights} for other in others]
    nights = (
        _share(night, [nights[night.run] for nights in known])
        for night in own.nights
        if all(night.run in nights for nights in known)
    )
    key = replace(own.key, metric=OF + BESIDE)
    return replace(own, key=key, nights=tuple(night for night in nights if night))


def _share(night: Night, others: Sequence[Night]) -> Night | None:
    """Exchange by exchange; None where an exchange gave a figure of one NIC and not of another,
    so that nobody knows which belong together."""
    if {len(other.samples) for other in others} != {len(night.samples)}:
        return None
    theirs = np.mean([other.samples for other in others], axis=0)
    shares = np.asarray(night.samples) / theirs
    return replace(night, samples=tuple(map(float, shares)))
