"""UCCL's `test_tcpx_api`, named `test_tcpx_plugin_api` in some versions: its plugin's interface.

It compares one byte of what arrived, so its success says nothing of the payload; its last words are
"exit ok", its time is that of all iterations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.plan import Plan
from harness.programs import uccl
from harness.programs.program import Due, Part, Reader
from harness.programs.uccl_lines import UcclLines
from harness.programs.uccl_perf_multi import PerfMulti

SUCCESS = "exit ok"


class Api(PerfMulti):
    """Session and transfer, several channels."""

    name = "test_tcpx_api"

    def places(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        return uccl.places(environ, f"tests/{self.name}", "tests/test_tcpx_plugin_api")

    def due(self, plan: Plan, role: str) -> Due:
        """It tells of no iteration alone."""
        return replace(super().due(plan, role), iterations=0, success=SUCCESS)

    def reader(self, part: Part) -> Reader:
        return UcclLines(SUCCESS)
