"""NIXL's backend contract, kept by our own transport."""

from harness.nixl.engine import Engine
from harness.nixl.memory import LocalMemory, RemoteMemory
from harness.nixl.request import Piece, Request
from harness.nixl.states import Operation, Role, Status

__all__ = [
    "Engine",
    "LocalMemory",
    "Operation",
    "Piece",
    "RemoteMemory",
    "Request",
    "Role",
    "Status",
]
