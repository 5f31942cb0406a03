"""The machine under a measurement: how busy its cores are, and waiting until they are idle.

Shared machines make benchmarks lie. CPU time of the whole machine less that of the peer is other
work; a figure taken while there was much of it is marked and, if time allows, taken again.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
IDLE_SHARE = 0.03  # of all cores
LOOK_S = 0.25
FREE_S, FREE_SHARE = 0.15, 0.05  # other work that a figure may bear: a start, and a share of time


def busy_s(stat: str | None = None) -> float:
    """CPU seconds since boot that all cores have worked, or were taken from us."""
    text = Path("/proc/stat").read_text() if stat is None else stat
    user, nice, system, _idle, _wait, irq, softirq, steal = map(
        int, text.split("\n")[0].split()[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / TICKS


def others_s() -> float:
    """CPU seconds since boot of all but this process, whose own share is no disturbance."""
    return busy_s() - time.process_time()


def await_idle(limit_s: float) -> bool:
    """Whether the cores came to rest within `limit_s`."""
    until = time.monotonic() + limit_s
    cores = os.cpu_count() or 1
    while True:
        before, began = busy_s(), time.monotonic()
        time.sleep(LOOK_S)
        if busy_s() - before <= IDLE_SHARE * cores * (time.monotonic() - began):
            return True
        if time.monotonic() > until:
            return False


def disturbed(foreign_s: float, elapsed_s: float) -> bool:
    """Whether other work of `foreign_s` CPU spoils a figure that took so long."""
    return foreign_s > FREE_S + FREE_SHARE * elapsed_s


def process_cpu_s(stat: str) -> float:
    """CPU seconds of one process, from its /proc/PID/stat; its name may hold anything."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
