"""A NIC that goes down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import NodeError
from harness.faults import program

if TYPE_CHECKING:
    from harness.nodes import Node

PROGRAM = Path(__file__).with_name("link_program.py")


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


def _run(node: Node, verb: str, nic: str, *routes: str) -> str:
    refused = f"cannot set {nic} {verb}"
    return program.run(node, PROGRAM, verb, nic, *routes, refused=refused)
