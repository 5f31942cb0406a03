"""NIC counters through psutil, all NICs and `lo`, since boot.

`nowrap=False`: psutil's wrap correction keeps hidden state between calls, and a counter that went
back is something a verdict must see. Whether a NIC is up is asked of the kernel with one ioctl each
(psutil's net_if_stats asks for its speed and more as well, 40 us a NIC), so that every reading can
afford to say it.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import time
from collections.abc import Callable, Collection

import psutil

from harness.evidence import NicCount, NicCounters

POLL_S = 0.025  # drivers that gather their statistics lazily take up to this
DEADLINE_S = 1.0
SIOCGIFFLAGS = 0x8913
IFF_RUNNING = 0x40  # administratively up and with a carrier
IFREQ = struct.Struct("=16sH22x")


def snapshot(node: str, phase: str) -> NicCounters:
    """Every NIC's counters now; `phase` is idle | sample | settled."""
    at_s = time.monotonic()
    counts = psutil.net_io_counters(pernic=True, nowrap=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
        nics = tuple(
            NicCount(
                name=name,
                bytes_sent=count.bytes_sent,
                bytes_recv=count.bytes_recv,
                packets_sent=count.packets_sent,
                packets_recv=count.packets_recv,
                errors=count.errin + count.errout,
                drops=count.dropin + count.dropout,
                up=_running(door, name),
            )
            for name, count in sorted(counts.items())
        )
    return NicCounters(node=node, phase=phase, at_s=at_s, nics=nics)


def _running(door: socket.socket, name: str) -> bool:
    try:
        reply = fcntl.ioctl(door, SIOCGIFFLAGS, IFREQ.pack(name.encode(), 0))
    except OSError:  # gone since it was counted
        return False
    return bool(IFREQ.unpack(reply)[1] & IFF_RUNNING)


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
