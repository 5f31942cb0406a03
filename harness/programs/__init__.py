"""Other people's programs as roles: how each is started, and what its lines mean. Starts nothing.

A plan names one by the name of its binary (`Plan.program`). One file a program; two that print the
same lines share a reader. `docs/programs.md` says how to run one and how to add one.
"""

from harness.errors import PlanError
from harness.programs.iperf3 import Iperf3
from harness.programs.nccl_tests import NcclTest
from harness.programs.program import Command, Due, Part, Program, Reader, command_line
from harness.programs.uccl_api import Api
from harness.programs.uccl_bench import BenchP2p
from harness.programs.uccl_fullmesh import Fullmesh
from harness.programs.uccl_modules import Modules
from harness.programs.uccl_perf import Perf
from harness.programs.uccl_perf_multi import PerfMulti
from harness.programs.uccl_transfer import Transfer

PROGRAMS: dict[str, Program] = {
    program.name: program
    for program in (
        Iperf3(),
        NcclTest("all_reduce_perf"),
        NcclTest("all_gather_perf"),
        NcclTest("reduce_scatter_perf"),
        NcclTest("alltoall_perf"),
        NcclTest("sendrecv_perf"),
        Modules(),
        Transfer(),
        Api(),
        Perf(),
        PerfMulti(),
        BenchP2p(),
        Fullmesh(),
    )
}


def named(name: str) -> Program:
    """The program that a plan names, by its binary's name or path."""
    if (binary := name.rpartition("/")[2]) not in PROGRAMS:
        raise PlanError(f"unknown program {name!r}", expected=f"one of {sorted(PROGRAMS)}")
    return PROGRAMS[binary]


__all__ = [
    "PROGRAMS",
    "Command",
    "Due",
    "Part",
    "Program",
    "Reader",
    "command_line",
    "named",
]
