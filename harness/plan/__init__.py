"""What one exchange will do, said in full before it starts."""

from harness.plan.assignment import Assignment
from harness.plan.fault import Fault
from harness.plan.mesh import check_mesh, full_mesh
from harness.plan.plan import (
    AGENT_EXERCISES,
    CLAIMS,
    DISTRIBUTIONS,
    KIB,
    MEMORIES,
    MIB,
    PROGRAM_CLAIMS,
    RXDMS,
    TRANSFER_CLAIMS,
    TRANSPORTS,
    Plan,
)

__all__ = [
    "AGENT_EXERCISES",
    "CLAIMS",
    "DISTRIBUTIONS",
    "KIB",
    "MEMORIES",
    "MIB",
    "PROGRAM_CLAIMS",
    "RXDMS",
    "TRANSFER_CLAIMS",
    "TRANSPORTS",
    "Assignment",
    "Fault",
    "Plan",
    "check_mesh",
    "full_mesh",
]
