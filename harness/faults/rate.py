"""A NIC that is slower than it should be.

For NICs that a token bucket shapes, as the embedded testbed's do. The program that changes it
uses the node's `tc`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.faults import program

if TYPE_CHECKING:
    from harness.nodes import Node

PROGRAM = Path(__file__).with_name("rate_program.py")


def slow(node: Node, nic: str, share: float) -> Callable[[], None]:
    """Let a data NIC of the node send at `share` of its rate; the undo gives it its own again."""
    before = _run(node, "share", nic, str(share)).split()

    def undo() -> None:
        _run(node, "set", nic, *before)

    return undo


def _run(node: Node, verb: str, nic: str, *values: str) -> str:
    refused = f"cannot change the rate of {nic}"
    return program.run(node, PROGRAM, verb, nic, *values, refused=refused)
