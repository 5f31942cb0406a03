"""A NIC that goes down.

The program that does it is sent to the node's own python on stdin: nothing needs to be installed
there, and it works on a node whose data NICs are all that is broken.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import NodeError

if TYPE_CHECKING:
    from harness.nodes import Node

PROGRAM = Path(__file__).with_name("link_program.py")
TIMEOUT_S = 10.0


def down(node: Node, nic: str) -> Callable[[], None]:
    """Set a data NIC of the node down; the undo sets it up again, with the routes it had."""
    if nic == node.spec.management:
        raise NodeError(
            f"{nic} is the management NIC: without it nobody can set it up again",
            expected=f"one of {', '.join(node.spec.nic_names)}",
            where=node.spec.name,
        )
    routes = _run(node, "down", nic).split()

    def undo() -> None:
        _run(node, "up", nic, *routes)

    return undo


def _run(node: Node, *arguments: str) -> str:
    """Run the program there; what it said on stdout."""
    argv = [node.spec.python, "-", *arguments]
    ran = node.run(argv, timeout_s=TIMEOUT_S, stdin=PROGRAM.read_bytes())
    if ran.code:
        raise NodeError(
            f"cannot set {arguments[1]} {arguments[0]}: {ran.stderr.strip()}",
            where=node.spec.name,
            fix="Log in as root there" if "not permitted" in ran.stderr else "",
        )
    return ran.stdout
