"""What this machine's CPUs have done so far, and which part of it a process and its children had.

The kernel counts in ticks of 10 ms, so short work is told roughly. It counts for all containers and
namespaces together, so that two nodes may be told of by one machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import psutil

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Cpus(NamedTuple):
    """Seconds of all CPUs added up, since the machine started."""

    programs_s: float  # given to programs, or taken by a hypervisor for its other guests
    rest_s: float  # idle, waiting, in interrupts


def cpus() -> Cpus:
    times = psutil.cpu_times()
    programs_s = times.user + times.nice + times.system + times.steal
    twice_s = times.guest + times.guest_nice  # guests of this machine are in user and nice as well
    return Cpus(programs_s, sum(times) - twice_s - programs_s)


def tree_s() -> float:
    """Of this process and all that it has started, those included that were waited for."""
    process = psutil.Process()
    spent_s = 0.0
    for one in reversed((process, *process.children(recursive=True))):
        try:
            spent_s += sum(one.cpu_times()[:4])
        except psutil.NoSuchProcess:  # ended since, and counted with its parent's, which comes next
            continue
    return spent_s


def machine(file: Path = BOOT_ID) -> str:
    """What tells this machine from others until it is started again; '' where that is hidden."""
    try:
        return file.read_text().strip()
    except OSError:
        return ""
