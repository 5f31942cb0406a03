"""What a node's CPUs did while a role's work ran there, and how much of it was the role's own.

A machine that somebody else keeps busy makes the transport slow, and nothing in the transport shows
it. The kernel counts in ticks of 10 ms, so short work is told roughly. Interrupts are nobody's:
they are the NICs' work for whoever sends.
"""

from __future__ import annotations

import psutil

from harness.evidence import NodeBusy
from harness.plan import Assignment


class Busy:
    """From its making on."""

    def __init__(self) -> None:
        self._machine, self._own_s = psutil.cpu_times(), _own_s()

    def record(self, assignment: Assignment) -> NodeBusy:
        """Until now. Processes of the role's that have ended must have been waited for."""
        now, own_s = psutil.cpu_times(), _own_s()
        programs_s = _programs_s(now) - _programs_s(self._machine)
        return NodeBusy(
            node=assignment.node,
            role=assignment.role,
            programs_s=round(programs_s, 6),
            rest_s=round(_all_s(now) - _all_s(self._machine) - programs_s, 6),
            own_s=round(own_s - self._own_s, 6),
        )


def _programs_s(times: psutil._pslinux.scputimes) -> float:
    """Given to programs, or taken by a hypervisor for its other guests."""
    return float(times.user + times.nice + times.system + times.steal)


def _all_s(times: psutil._pslinux.scputimes) -> float:
    """`user` and `nice` hold what guests of this machine got, too."""
    return float(sum(times) - times.guest - times.guest_nice)


def _own_s() -> float:
    """Of this process and all that it has started."""
    process = psutil.Process()
    spent_s = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            spent_s += sum(one.cpu_times()[:4])  # those of ended children, which were waited for
        except psutil.NoSuchProcess:  # ended since, and counted with its parent's
            continue
    return spent_s
