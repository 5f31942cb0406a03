"""The promises: each a number from one run, a threshold, and whether it holds.

A ratio of two peers is the median over the rounds of the ratio within a round. What was not
measured has no value and does not hold; it is never left out.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.bench.case import Case
from harness.bench.rounds import Taken

MOST = 4  # channels of the promises
SHAPED = (Case(1.0, 9000), Case(2.5, 9000))
UNSHAPED = Case(0.0, 9000)
LINE, OF_IPERF3, SCALING, CPU = 0.985, 0.995, 3.95, 2.0
# unshaped: numerator, denominator, threshold
AGAINST = (
    ("ours", "nixl", 2.2),
    ("ours", "gloo", 0.9),
    ("ours", "iperf3", 0.45),
    ("ours-raw", "iperf3", 0.65),
)
# what is measured beside the rounds: name, threshold, whether more is better
ALONE = (
    ("host-verification-of-copy", 0.35, True),
    ("fixed-cost-s", 0.5, False),
    ("observer-core-share", 0.02, False),
    ("role-memory-growth-mib", 64.0, False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One promise. `at_least` says which side of the threshold is the good one."""

    name: str
    value: float | None
    threshold: float
    at_least: bool = True

    @property
    def holds(self) -> bool:
        if self.value is None:
            return False
        return self.value >= self.threshold if self.at_least else self.value <= self.threshold

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value,
            "threshold": self.threshold,
            "sense": ">=" if self.at_least else "<=",
            "holds": self.holds,
        }


def ratios(taken: Mapping[str, Sequence[Taken]], alone: Mapping[str, float]) -> list[Ratio]:
    """Every promise. `taken` is by case name, `alone` holds what was measured beside the rounds."""
    found = [ratio for case in SHAPED for ratio in _shaped(case, taken.get(case.name, ()))]
    free = taken.get(UNSHAPED.name, ())
    for over, under, threshold in AGAINST:
        value = per_round(free, (over, MOST), (under, MOST))
        name = f"{UNSHAPED.name}/{over}-to-{under}"
        found.append(Ratio(name=name, value=value, threshold=threshold))
    for name, threshold, at_least in ALONE:
        value = alone.get(name)
        found.append(Ratio(name=name, value=value, threshold=threshold, at_least=at_least))
    return found


def _shaped(case: Case, taken: Sequence[Taken]) -> list[Ratio]:
    ours, iperf3 = ("ours", MOST), ("iperf3", MOST)
    speed = median(taken, ours)
    line = None if speed is None else speed / case.line_gb_s(MOST)
    values = {
        "of-line": (line, LINE, True),
        "ours-to-iperf3": (per_round(taken, ours, iperf3), OF_IPERF3, True),
        "scaling": (per_round(taken, ours, ("ours", 1)), SCALING, True),
        "cpu-to-iperf3": (per_round(taken, ours, iperf3, "cpu_s_per_gb"), CPU, False),
    }
    return [
        Ratio(name=f"{case.name}/{name}", value=value, threshold=threshold, at_least=at_least)
        for name, (value, threshold, at_least) in values.items()
    ]


def missed(ratios: Sequence[Ratio]) -> list[str]:
    """The promises that were not kept, a line each."""
    return [
        f"{ratio.name}: {'not measured' if ratio.value is None else f'{ratio.value:.3f}'}, "
        f"expected {'>=' if ratio.at_least else '<='} {ratio.threshold:g}"
        for ratio in ratios
        if not ratio.holds
    ]


def per_round(
    taken: Sequence[Taken], over: tuple[str, int], under: tuple[str, int], what: str = "gb_s"
) -> float | None:
    """The median ratio of the rounds in which both were measured; None if there were none."""
    above, below = _by_round(taken, over, what), _by_round(taken, under, what)
    both = [above[number] / below[number] for number in above if below.get(number)]
    return statistics.median(both) if both else None


def median(taken: Sequence[Taken], key: tuple[str, int]) -> float | None:
    """The median GB/s of a peer with so many channels; None if it was never measured."""
    speeds = _by_round(taken, key, "gb_s").values()
    return statistics.median(speeds) if speeds else None


def _by_round(taken: Sequence[Taken], key: tuple[str, int], what: str) -> dict[int, float]:
    return {
        t.round: float(value)
        for t in taken
        if t.figure is not None
        and (t.peer, t.channels) == key
        and (value := getattr(t.figure, what)) is not None
    }
