"""How costs grow with bytes, channels and iterations: points for a log plot, and their slope.

A slope of 1 between two points is linear, 0 is flat. The slope that is stated is of the last two
points: before them, what an exchange costs anyway hides what its size costs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.bench.bed import Bed
from harness.bench.overhead import SMALL, judged, rss_bytes
from harness.bench.peers.ours import cpu_s
from harness.bench.phases import phases
from harness.bench.rounds import Show
from harness.evidence import Entry
from harness.plan import Plan

KIB, MIB = 1 << 10, 1 << 20
BYTES = (1 * MIB, 8 * MIB, 64 * MIB, 512 * MIB, 2048 * MIB, 8192 * MIB)
CHANNELS = (1, 2, 4, 8, 16, 32, 64)
ITERATIONS = (1, 10, 100, 1000, 10_000)
MEASURES = ("wall_s", "transfer_s", "cpu_s", "rss_bytes", "journal_bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One exchange's costs; `x` is what was varied."""

    x: int
    wall_s: float
    transfer_s: float
    cpu_s: float  # of both roles
    rss_bytes: int
    journal_bytes: int

    def to_json(self) -> dict[str, float]:
        return {"x": self.x, **{name: getattr(self, name) for name in MEASURES}}


def plans() -> dict[str, dict[int, Plan]]:
    """What is varied -> its values -> the plan of each."""
    return {
        "bytes": {size: _of_bytes(size) for size in BYTES},
        "channels": {n: Plan(channels=n, size_bytes=256 * MIB) for n in CHANNELS},
        "iterations": {
            n: Plan(size_bytes=256 * KIB, chunk_bytes=64 * KIB, iterations=n, deadline_s=300.0)
            for n in ITERATIONS
        },
    }


def _of_bytes(size: int) -> Plan:
    """As one message up to 64 MiB, then as more of those."""
    message = min(size, 64 * MIB)
    return Plan(size_bytes=message, iterations=size // message, deadline_s=300.0)


def measure(bed: Bed, show: Show, *, small: bool = False) -> dict[str, list[Point]]:
    """Every plan once; `small` leaves out the largest two of each."""
    judged(bed, SMALL)  # connects, provisions, starts the observers
    found: dict[str, list[Point]] = {}
    for name, by_x in plans().items():
        for x, plan in list(by_x.items())[: -2 if small else None]:
            found.setdefault(name, []).append(_point(bed, x, plan))
            show(f"growth: {x:,} {name}, {found[name][-1].wall_s:.2f} s")
    return found


def _point(bed: Bed, x: int, plan: Plan) -> Point:
    bed.await_idle()
    before = bed.journal_bytes()
    entries = judged(bed, plan)
    return point(x, entries, bed.journal_bytes() - before)


def point(x: int, entries: Sequence[Entry], journal_bytes: int) -> Point:
    """What one exchange cost."""
    found = phases(entries)
    return Point(
        x=x,
        wall_s=sum(found.values()),
        transfer_s=found["transfer"],
        cpu_s=cpu_s(entries),
        rss_bytes=rss_bytes(entries),
        journal_bytes=journal_bytes,
    )


def slope(points: Sequence[Point], measure: str) -> float | None:
    """On log axes, between the last two points; None where that has no meaning."""
    if len(points) < 2:
        return None
    (before, after) = points[-2:]
    low, high = getattr(before, measure), getattr(after, measure)
    if low <= 0 or high <= 0 or before.x == after.x:
        return None
    return math.log(high / low) / math.log(after.x / before.x)


def to_json(found: dict[str, list[Point]]) -> dict[str, Any]:
    return {
        name: {
            "points": [point.to_json() for point in points],
            "slopes": {measure: slope(points, measure) for measure in MEASURES},
        }
        for name, points in found.items()
    }
