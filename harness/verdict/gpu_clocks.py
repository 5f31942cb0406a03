"""How long a GPU's clocks were held down, and why.

The GPU counts it for most reasons; the difference over the exchange is exact. A reason that is not
counted is known from the samples alone: it held at most from the reading before to the one after.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from harness.verdict.exchange import Exchange
from harness.verdict.gpus import Used, devices, health
from harness.verdict.limits import LIMITS

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """One GPU held down by one reason."""

    node: str
    gpu: int
    reason: str
    for_s: float
    of_s: float
    counted: bool
    at_s: float  # of the first sight

    @property
    def fact(self) -> str:
        most = "" if self.counted else "at most "
        reason = self.reason.replace("_", " ")
        return f"throttled by its {reason} for {most}{self.for_s:.2f} of {self.of_s:.2f} s"


def throttled(exchange: Exchange) -> list[Slow]:
    """Every GPU and reason that made a difference."""
    return [
        slow
        for one in devices(exchange)
        for slow in (*_counted(exchange, one), *_sampled(exchange, one))
    ]


def untold(exchange: Exchange) -> list[Used]:
    """GPUs of which nobody knows whether they were throttled."""
    return [
        one
        for one in devices(exchange)
        if any(UNKNOWN in load.record.throttle for load in one.loads)
        and not _counters(exchange, one)
    ]


def _counters(exchange: Exchange, one: Used) -> dict[str, int]:
    """Nanoseconds by reason, over the exchange."""
    readings = health(exchange, one)
    if readings is None:
        return {}
    before, after = (reading.record.throttled_ns for reading in readings)
    return {reason: after[reason] - before[reason] for reason in after if reason in before}


def _counted(exchange: Exchange, one: Used) -> Iterator[Slow]:
    readings = health(exchange, one)
    for reason, nanoseconds in _counters(exchange, one).items() if readings else ():
        before, after = readings  # type: ignore[misc]
        of_s = after.record.at_s - before.record.at_s
        if nanoseconds / 1e9 > LIMITS.throttled_share * of_s:
            seen = [load.at_s for load in one.loads if reason in load.record.throttle]
            yield Slow(
                node=one.node,
                gpu=one.gpu,
                reason=reason,
                for_s=nanoseconds / 1e9,
                of_s=of_s,
                counted=True,
                at_s=min(seen, default=after.at_s),
            )


def _sampled(exchange: Exchange, one: Used) -> Iterator[Slow]:
    counted = _counters(exchange, one)
    reasons = {reason: None for load in one.loads for reason in load.record.throttle}
    for reason in reasons:
        if reason in counted or reason == UNKNOWN:
            continue
        seen = [load for load in one.loads if reason in load.record.throttle]
        spans = [(a, b) for a, b in pairwise(one.loads) if a in seen or b in seen]
        yield Slow(
            node=one.node,
            gpu=one.gpu,
            reason=reason,
            for_s=sum(b.record.at_s - a.record.at_s for a, b in spans),
            of_s=one.loads[-1].record.at_s - one.loads[0].record.at_s,
            counted=False,
            at_s=seen[0].at_s,
        )
