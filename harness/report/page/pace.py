"""GB/s of each NIC over time, from the observers' counters alone.

Between two samples a NIC has one rate. Time is cut into equal bins; a bin's rate is the bytes
that were counted in it by the time that was observed of it, so that no byte is lost and a pause
between exchanges stays a gap and does not look like a NIC without traffic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.evidence import NicCount, NicCounters
from harness.report.exchanges import Told

Port = tuple[str, str]  # node, NIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Between two samples of one NIC; times in seconds."""

    start_s: float
    end_s: float
    sent_bytes: int
    received_bytes: int

    @property
    def bytes(self) -> int:
        return self.sent_bytes + self.received_bytes


def intervals(told: Iterable[Told], began_at_s: dict[str, float]) -> dict[Port, list[Interval]]:
    """Of every NIC of every node; `began_at_s` is when each exchange began."""
    found: dict[Port, list[Interval]] = {}
    for one in told:
        offset_s = began_at_s.get(one.seen.name, 0.0)
        for node in dict.fromkeys(one.seen.nodes.values()):
            samples = one.seen.seen(NicCounters, node=node)
            for before, after in pairwise(samples):
                for nic, interval in _between(
                    before.record, after.record, before.at_s + offset_s, after.at_s + offset_s
                ):
                    found.setdefault((node, nic), []).append(interval)
    return found


def _between(
    before: NicCounters, after: NicCounters, start_s: float, end_s: float
) -> Iterator[tuple[str, Interval]]:
    known = {nic.name: nic for nic in before.nics}
    for nic in after.nics:
        first = known.get(nic.name)
        if first is not None and end_s > start_s and not _went_back(first, nic):
            yield (
                nic.name,
                Interval(
                    start_s=start_s,
                    end_s=end_s,
                    sent_bytes=nic.bytes_sent - first.bytes_sent,
                    received_bytes=nic.bytes_recv - first.bytes_recv,
                ),
            )


def _went_back(first: NicCount, nic: NicCount) -> bool:
    """A counter that was reset says nothing of what was between."""
    return nic.bytes_sent < first.bytes_sent or nic.bytes_recv < first.bytes_recv


def binned(
    found: Sequence[Interval], start_s: float, end_s: float, bins: int
) -> list[tuple[float, float, float]]:
    """(from, to, GB/s) of each bin that was observed."""
    wide_s = (end_s - start_s) / bins
    if wide_s <= 0:
        return []
    counted, observed_s = [0.0] * bins, [0.0] * bins
    for one in found:
        length_s = one.end_s - one.start_s
        first = max(int((one.start_s - start_s) / wide_s), 0)
        last = min(int((one.end_s - start_s) / wide_s), bins - 1)
        for at in range(first, last + 1):
            edge_s = start_s + at * wide_s
            shared_s = min(one.end_s, edge_s + wide_s) - max(one.start_s, edge_s)
            if shared_s > 0:
                counted[at] += one.bytes * shared_s / length_s
                observed_s[at] += shared_s
    return [
        (start_s + at * wide_s, start_s + (at + 1) * wide_s, counted[at] / observed_s[at] / 1e9)
        for at in range(bins)
        if observed_s[at] > 0
    ]
