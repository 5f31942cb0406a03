"""NIC counters through psutil, all NICs and `lo`, since boot.

`nowrap=False`: psutil's wrap correction keeps hidden state between calls, and a counter that went
back is something a verdict must see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

import psutil

from harness.evidence import NicCount, NicCounters
from harness.nic import links

POLL_S = 0.025  # drivers that gather their statistics lazily take up to this
DEADLINE_S = 1.0


def snapshot(node: str, phase: str) -> NicCounters:
    """Every NIC's counters now; `phase` is idle | sample | settled."""
    at_s = time.monotonic()
    counts = psutil.net_io_counters(pernic=True, nowrap=False)
    links.refresh()
    nics = tuple(
        NicCount(
            name=name,
            bytes_sent=count.bytes_sent,
            bytes_recv=count.bytes_recv,
            packets_sent=count.packets_sent,
            packets_recv=count.packets_recv,
            errors=count.errin + count.errout,
            drops=count.dropin + count.dropout,
            up=links.running(name),
        )
        for name, count in sorted(counts.items())
    )
    return NicCounters(node=node, phase=phase, at_s=at_s, nics=nics)


def settled(
    node: str,
    names: Collection[str],
    *,
    poll_s: float = POLL_S,
    deadline_s: float = DEADLINE_S,
    pause: Callable[[float], object] = time.sleep,
) -> tuple[NicCounters, tuple[str, ...]]:
    """Counters once two readings in a row agree on `names`, and the NICs that never came to rest.

    `names` are the data NICs and lo; the management NIC carries our own ssh and never rests.
    """
    deadline = time.monotonic() + deadline_s
    last = snapshot(node, "settled")
    while True:
        pause(poll_s)
        now = snapshot(node, "settled")
        moving = tuple(nic.name for nic in moved(last, now) if nic.name in names)
        if not moving or time.monotonic() >= deadline:
            return now, moving
        last = now


def moved(before: NicCounters, after: NicCounters) -> tuple[NicCount, ...]:
    """The NICs of `after` that differ from what they were; a NIC that appeared differs."""
    old = {nic.name: nic for nic in before.nics}
    return tuple(nic for nic in after.nics if nic != old.get(nic.name))
