"""A series: what one figure was, night by night, on one testbed with one plan.

This is all that statistics get to see. A night holds its samples as they were taken, never only
their mean; samples that must not count (a throttled GPU, a disturbed machine) are left out of them
and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Key:
    """Which figure of what: gb_s of "eth1", say. Values of two keys are never compared."""

    fingerprint: str  # digest of the testbed: topology, kernel, driver, firmware, plugin, tier
    plan: str  # digest of what was moved and how
    metric: str  # "gb_s", "iteration_s", "cpu_s_per_gb"; the unit is in the name
    subject: str  # a NIC, or so many channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One run's samples of a series; `excluded` of them were taken and must not count."""

    run: str
    at_s: float  # wall clock, since the epoch
    samples: tuple[float, ...]
    excluded: int = 0
    revision: dict[str, str] = field(default_factory=dict)  # what was under test: git, driver, ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Nights in the order of their time."""

    key: Key
    better: Better
    nights: tuple[Night, ...]
