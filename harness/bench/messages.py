"""Messages a second, and how long one takes, by their size. Unshaped, every byte verified.

The rate is of many messages under way at once, on all channels. The time of one is from its post to
the server's word that it is verified, with nothing else under way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.bench.bed import Bed
from harness.bench.figures import Spread
from harness.bench.overhead import judged
from harness.evidence import Entry, IterationDone
from harness.plan import Plan
from harness.verdict.exchange import Exchange

KIB, MIB = 1 << 10, 1 << 20
# chunk -> chunks of one exchange: about a second of them
SIZES = {1: 32768, 4 * KIB: 65536, 64 * KIB: 16384, 512 * KIB: 4096, 4 * MIB: 512}
BUFFER_BYTES = 64 * MIB
PINGS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Of one size."""

    chunk_bytes: int
    per_s: Spread
    gb_s: float
    p50_us: float | None = None
    p99_us: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "chunk_bytes": self.chunk_bytes,
            "messages_per_s": self.per_s.to_json(),
            "gb_s": self.gb_s,
            "p50_us": self.p50_us,
            "p99_us": self.p99_us,
        }


def measure(bed: Bed, rounds: int) -> Iterator[Messages]:
    """Size by size, as they are measured."""
    return (_of(bed, chunk_bytes, rounds) for chunk_bytes in SIZES)


def _of(bed: Bed, chunk_bytes: int, rounds: int) -> Messages:
    plan = many(chunk_bytes)
    rates = []
    for _ in range(rounds):
        bed.await_idle()
        rates.append(Exchange(judged(bed, plan)).gb_s * 1e9 / chunk_bytes)
    per_s = Spread(min(rates), sorted(rates)[len(rates) // 2], max(rates))
    times = latencies_us(judged(bed, one_by_one(chunk_bytes)))
    return Messages(
        chunk_bytes=chunk_bytes,
        per_s=per_s,
        gb_s=per_s.median * chunk_bytes / 1e9,
        p50_us=percentile(times, 0.50),
        p99_us=percentile(times, 0.99),
    )


def many(chunk_bytes: int) -> Plan:
    """All of a size's chunks through a buffer of at most 64 MiB."""
    size_bytes = min(chunk_bytes * SIZES[chunk_bytes], BUFFER_BYTES)
    return Plan(
        size_bytes=size_bytes,
        chunk_bytes=chunk_bytes,
        iterations=chunk_bytes * SIZES[chunk_bytes] // size_bytes,
        deadline_s=120.0,
    )


def one_by_one(chunk_bytes: int) -> Plan:
    """One chunk under way at a time, each answered."""
    return Plan(
        channels=1,
        size_bytes=chunk_bytes,
        chunk_bytes=chunk_bytes,
        iterations=PINGS,
        acknowledged=True,
    )


def latencies_us(entries: Sequence[Entry]) -> list[float]:
    """From post to answer, by the client's clock; the first, which warms up, left out."""
    done = [e.record for e in entries if isinstance(e.record, IterationDone)]
    took = [(d.ended_s - d.started_s) * 1e6 for d in done if d.role == "client"]
    return took[1:]


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` of all do not exceed (nearest rank)."""
    if not values:
        return None
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
