"""Breaking things on purpose: one file a fault family, each function returns its undo.

An undo is called once, on the line after next if need be, and puts back what the fault took away.
Faults in the payload are not here: TCP would hide them, so roles commit those (`plan.fault`).
"""

from harness.faults.link import down
from harness.faults.rate import slow

__all__ = ["down", "slow"]
