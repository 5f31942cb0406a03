"""What a node's CPUs did while a role's work ran there, and how much of it was the role's own.

A machine that somebody else keeps busy makes the transport slow, and nothing in the transport shows
it. Interrupts are nobody's: they are the NICs' work for whoever sends.
"""

from __future__ import annotations

from harness.evidence import NodeBusy
from harness.nic.cpu import cpus, machine, tree_s
from harness.plan import Assignment


class Busy:
    """From its making on."""

    def __init__(self) -> None:
        self._cpus, self._own_s = cpus(), tree_s()

    def record(self, assignment: Assignment) -> NodeBusy:
        """Until now. Processes of the role's that have ended must have been waited for."""
        now, own_s = cpus(), tree_s()
        return NodeBusy(
            node=assignment.node,
            role=assignment.role,
            machine=machine(),
            programs_s=round(now.programs_s - self._cpus.programs_s, 6),
            rest_s=round(now.rest_s - self._cpus.rest_s, 6),
            own_s=round(own_s - self._own_s, 6),
        )
