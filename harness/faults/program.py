"""A program that is sent to a node's own python on stdin: nothing needs to be installed there, and
it works on a node whose data NICs are all that is broken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import NodeError

if TYPE_CHECKING:
    from harness.nodes import Node

TIMEOUT_S = 10.0


def run(node: Node, program: Path, *arguments: str, refused: str) -> str:
    """What it said on stdout; NodeError, begun with `refused`, if it failed."""
    argv = [node.spec.python, "-", *arguments]
    ran = node.run(argv, timeout_s=TIMEOUT_S, stdin=program.read_bytes())
    if ran.code:
        raise NodeError(
            f"{refused}: {ran.stderr.strip()}",
            where=node.spec.name,
            fix="Log in as root there" if "not permitted" in ran.stderr else "",
        )
    return ran.stdout
