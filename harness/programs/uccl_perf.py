"""UCCL's `test_tcpx_perf`: one channel, and a bootstrap port that nobody can choose.

An error inside an iteration ends the iteration and not the program: its time is printed all the
same, shorter, and the bandwidth with it.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.plan import Plan
from harness.programs import uccl
from harness.programs.uccl_perf_multi import PerfMulti

PORT = 12347


class Perf(PerfMulti):
    """Started, and read, like the one with several channels."""

    name = "test_tcpx_perf"

    def places(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        return uccl.places(environ, f"tests/{self.name}")

    def listens(self, plan: Plan) -> tuple[int, ...]:
        return (PORT,)
