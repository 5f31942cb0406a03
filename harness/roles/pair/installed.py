"""Whether a node has a program, asked of the node itself: its environment decides where to look."""

from __future__ import annotations

from harness.errors import ProvisionError
from harness.nodes import Node

ASK_S = 20.0
ASK = """
import os, sys
from harness.errors import ProvisionError
from harness.programs.places import find
try:
    print(find(sys.argv[1], os.environ))
except ProvisionError as error:
    print(error.told)
    sys.exit(3)
"""
ABSENT = 3


def lacking(node: Node, program: str) -> str:
    """Why the program cannot run there, in words; '' when it is there."""
    spec = node.spec
    environment = {**spec.environment, "PYTHONPATH": node.provision()}
    settings = [f"{name}={value}" for name, value in environment.items()]
    ran = node.run(["env", *settings, spec.python, "-c", ASK, program], timeout_s=ASK_S)
    if ran.code == ABSENT:
        return ran.stdout.strip()
    if ran.code:
        seen = f"cannot look for {program}: {ran.stderr.strip()[-300:]}"
        raise ProvisionError(seen, where=spec.name)
    return ""
