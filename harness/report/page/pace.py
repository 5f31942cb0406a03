"""GB/s of each NIC over time, from the observers' counters alone.

Between two samples a NIC has one rate. Where there are more samples than a picture can show, time
is cut into equal bins: a bin's rate is the bytes that were counted in it by the time that was
observed of it, so that no byte is lost and a pause between exchanges stays a gap and does not look
like a NIC without traffic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.evidence import NicCount, NicCounters
from harness.report.exchanges import Told
from harness.report.mesh import observed
from harness.verdict.exchange import Seen

Port = tuple[str, str]  # node, NIC
Step = tuple[float, float, float]  # from, to, GB/s


TOUCHING_S = 1e-6


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
    for one in observed(told):
        offset_s = began_at_s.get(one.seen.name, 0.0)
        for node in dict.fromkeys(one.seen.nodes.values()):
            samples = _whole(one.seen.seen(NicCounters, node=node))
            for (start_s, before), (end_s, after) in pairwise(samples):
                for nic, first in before.items():
                    if made := _between(first, after[nic], start_s + offset_s, end_s + offset_s):
                        found.setdefault((node, nic), []).append(made)
    return found


def _whole(samples: Iterable[Seen[NicCounters]]) -> Iterator[tuple[float, dict[str, NicCount]]]:
    """Every sample with all NICs: one that stood still is left out of it by the observer."""
    known: dict[str, NicCount] = {}
    for sample in samples:
        known = known | {nic.name: nic for nic in sample.record.nics}
        yield sample.at_s, known


def _between(first: NicCount, last: NicCount, start_s: float, end_s: float) -> Interval | None:
    """None where nothing can be said: the counter was reset between."""
    sent, received = last.bytes_sent - first.bytes_sent, last.bytes_recv - first.bytes_recv
    if end_s <= start_s or sent < 0 or received < 0:
        return None
    return Interval(start_s=start_s, end_s=end_s, sent_bytes=sent, received_bytes=received)


def stepped(found: Sequence[Interval], start_s: float, end_s: float, most: int) -> list[Step]:
    """The rates as they were sampled, or in bins where that is more than `most`."""
    if len(found) > most:
        return _merged(binned(found, start_s, end_s, most))
    return _merged([(o.start_s, o.end_s, o.bytes / (o.end_s - o.start_s) / 1e9) for o in found])


def _merged(steps: Iterable[Step]) -> list[Step]:
    """Neighbours of one rate in one step: most of a NIC's time is spent at rest."""
    merged: list[Step] = []
    for step in steps:
        if merged and merged[-1][2] == step[2] and abs(merged[-1][1] - step[0]) < TOUCHING_S:
            step = (merged.pop()[0], *step[1:])
        merged.append(step)
    return merged


def binned(found: Sequence[Interval], start_s: float, end_s: float, bins: int) -> list[Step]:
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
