"""UCCL's `test_modules`: the bootstrap between two nodes, four made-up handles.

A failure is printed as [FAIL] and the program still ends with 0: without its [SUCCESS] it failed.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.plan import Plan
from harness.programs import uccl
from harness.programs.program import Command, Due, Part, Reader, words
from harness.programs.uccl_lines import UcclLines

PORT = 12347
CHANNELS = 4  # handles that it sends, whatever a plan says
SUCCESS = {
    "server": "[SUCCESS] Bootstrap server test passed!",
    "client": "[SUCCESS] Bootstrap client test passed!",
}


class Modules:
    """Moves handles and no payload."""

    name = "test_modules"
    install = uccl.INSTALL
    settles: tuple[str, ...] = ("roles", "bootstrap")

    def places(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        return uccl.places(environ, f"tests/{self.name}")

    def commands(self, part: Part) -> tuple[Command, ...]:
        role = uccl.role_words(part, None)
        return (Command(words=words(part.place, *role, more=part.plan.arguments)),)

    def listens(self, plan: Plan) -> tuple[int, ...]:
        return (PORT,)

    def due(self, plan: Plan, role: str) -> Due:
        return Due(processes=(0,), success=SUCCESS[role])

    def reader(self, part: Part) -> Reader:
        return UcclLines(SUCCESS[part.role])
