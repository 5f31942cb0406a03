"""What one exchange will do, said in full before it starts."""

from harness.plan.assignment import Assignment
from harness.plan.fault import Fault
from harness.plan.plan import (
    CLAIMS,
    DISTRIBUTIONS,
    KIB,
    MEMORIES,
    MIB,
    PROGRAM_CLAIMS,
    TRANSFER_CLAIMS,
    TRANSPORTS,
    Plan,
)

__all__ = [
    "CLAIMS",
    "DISTRIBUTIONS",
    "KIB",
    "MEMORIES",
    "MIB",
    "PROGRAM_CLAIMS",
    "TRANSFER_CLAIMS",
    "TRANSPORTS",
    "Assignment",
    "Fault",
    "Plan",
]
