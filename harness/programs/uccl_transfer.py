"""UCCL's `test_tcpx_transfer`: one message of 23 bytes, the only program that looks at all of it.

So little moves that no counter tells it from noise: roles and silence elsewhere are all that can be
settled. Its own word that the data is valid must be there, and proves nothing to us.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.plan import Plan
from harness.programs import uccl
from harness.programs.program import Command, Due, Part, Reader, words
from harness.programs.uccl_lines import UcclLines

PORT = 12345
SUCCESS = {"server": "[DEBUG] \u2713 Data validation PASSED"}


class Transfer:
    """A single shot."""

    name = "test_tcpx_transfer"
    install = uccl.INSTALL
    settles: tuple[str, ...] = ("roles", "quiet")

    def places(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        return uccl.places(environ, f"tests/{self.name}")

    def commands(self, part: Part) -> tuple[Command, ...]:
        return (
            Command(
                words=words(part.place, *uccl.role_words(part, None), more=part.plan.arguments),
                environment=uccl.environment(part),
                defaults=uccl.defaults(part),
            ),
        )

    def listens(self, plan: Plan) -> tuple[int, ...]:
        return (PORT,)

    def due(self, plan: Plan, role: str) -> Due:
        return Due(processes=(0,), success=SUCCESS.get(role, ""))

    def reader(self, part: Part) -> Reader:
        return UcclLines(SUCCESS.get(part.role, ""))
