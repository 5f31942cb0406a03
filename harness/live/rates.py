"""GB/s per NIC of one node, over the last second of its observer's samples.

A sample names only the NICs that moved, so what it leaves out has stood still. The node's own clock
counts: samples may reach us in bursts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from harness.evidence import NicCounters

WINDOW_S = 1.0


class Rates:
    """Takes samples, tells rates; both directions of a NIC together."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, dict[str, int]]] = deque()

    def take(self, sample: NicCounters) -> None:
        known = self._samples[-1][1] if self._samples else {}
        moved = {nic.name: nic.bytes_sent + nic.bytes_recv for nic in sample.nics}
        self._samples.append((sample.at_s, known | moved))
        while len(self._samples) > 2 and self._samples[1][0] <= sample.at_s - WINDOW_S:
            self._samples.popleft()

    def gb_s(self, nics: Iterable[str]) -> dict[str, float]:
        """Of these NICs, where there are two samples to tell a rate from."""
        if len(self._samples) < 2:
            return {}
        (began_s, before), (ended_s, after) = self._samples[0], self._samples[-1]
        if ended_s <= began_s:
            return {}
        moved = {n: after[n] - before.get(n, after[n]) for n in nics if n in after}
        return {name: size / (ended_s - began_s) / 1e9 for name, size in moved.items()}
