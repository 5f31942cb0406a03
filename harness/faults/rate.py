"""A NIC that is slower than it should be.

For NICs that a token bucket shapes, as the embedded testbed's do. The program that changes it is
sent to the node's own python on stdin; it uses the node's `tc`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import NodeError

if TYPE_CHECKING:
    from harness.nodes import Node

PROGRAM = Path(__file__).with_name("rate_program.py")
TIMEOUT_S = 10.0


def slow(node: Node, nic: str, share: float) -> Callable[[], None]:
    """Let a data NIC of the node send at `share` of its rate; the undo gives it its own again."""
    before = _run(node, "share", nic, str(share)).split()

    def undo() -> None:
        _run(node, "set", nic, *before)

    return undo


def _run(node: Node, *arguments: str) -> str:
    """Run the program there; what it said on stdout."""
    argv = [node.spec.python, "-", *arguments]
    ran = node.run(argv, timeout_s=TIMEOUT_S, stdin=PROGRAM.read_bytes())
    if ran.code:
        raise NodeError(
            f"cannot change the rate of {arguments[1]}: {ran.stderr.strip()}",
            where=node.spec.name,
        )
    return ran.stdout
