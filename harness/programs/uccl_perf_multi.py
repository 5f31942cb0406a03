"""UCCL's `test_tcpx_perf_multi`, the earlier one and the one with the later runner.

The earlier ends with 0 even when iterations were aborted; the later prints how many chunks of each
iteration were completed, and a bandwidth over all of them whatever that number is.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.plan import PROGRAM_CLAIMS, Plan
from harness.programs import uccl
from harness.programs.program import Command, Due, Part, Reader, words
from harness.programs.uccl_lines import UcclLines


class PerfMulti:
    """Several channels from one GPU to another, a process a side."""

    name = "test_tcpx_perf_multi"
    install = uccl.INSTALL
    settles: tuple[str, ...] = PROGRAM_CLAIMS

    def places(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        return uccl.places(environ, f"tests/{self.name}")

    def commands(self, part: Part) -> tuple[Command, ...]:
        role = uccl.role_words(part, str(part.plan.gpu))
        return (
            Command(
                words=words(part.place, *role, more=part.plan.arguments),
                environment=uccl.environment(part),
                defaults=uccl.defaults(part),
            ),
        )

    def listens(self, plan: Plan) -> tuple[int, ...]:
        return (plan.port,)

    def due(self, plan: Plan, role: str) -> Due:
        return Due(bytes=plan.total_bytes, processes=(0,), iterations=plan.iterations)

    def reader(self, part: Part) -> Reader:
        return UcclLines()
