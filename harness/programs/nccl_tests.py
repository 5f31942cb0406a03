"""nccl-tests: a collective between two ranks, one a node, under mpirun.

The client's mpirun starts both ranks, the server's over ssh (so the nodes must let each other in),
and prints for both; the server's role attends: it lends its eyes and ends when the client has. The
rank on the server gets the client's environment, so NICs must have the same names on both. The
rates are counted in 1e9 bytes already. "Out of bounds values : N FAILED" and N > 0 wrong values are
failures although the average is printed below; without -c nothing is compared at all. The last
iterations and the warm-up move what the timed ones do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.evidence import Record
from harness.plan import Plan
from harness.programs.program import Command, Due, Part, Reader, said, words

WARMUPS = 1
# What one rank of two sends for a message of size S, out of place and in place alike.
SENT = {
    "all_reduce_perf": 1.0,  # 2 (n - 1) / n
    "all_gather_perf": 0.5,  # (n - 1) / n
    "reduce_scatter_perf": 0.5,
    "alltoall_perf": 0.5,
    "sendrecv_perf": 1.0,
}
NUMBER = r"(\d+(?:\.\d+)?)"
# size count type redop root, then time algbw busbw #wrong, out of place and in place
ROW = re.compile(
    rf"^\s*(\d+)\s+\d+\s+\w+\s+\w+\s+-?\d+\s+{NUMBER}\s+{NUMBER}\s+{NUMBER}\s+(\d+|N/A)"
    rf"\s+{NUMBER}\s+{NUMBER}\s+{NUMBER}\s+(\d+|N/A)\s*$"
)
BOUNDS = re.compile(r"# Out of bounds values\s*:\s*(\d+)\s+(\w+)")
FAILED = re.compile(r"Test (?:NCCL|CUDA) failure|NCCL WARN .*(?:failure|error)", re.IGNORECASE)


class NcclTest:
    """One of nccl-tests' programs."""

    install = "build nccl-tests with MPI=1 and set NCCL_TESTS_HOME in the node's environment"
    settles: tuple[str, ...] = ("roles", "delivery", "mapping", "traffic", "quiet", "figures")

    def __init__(self, name: str) -> None:
        self.name = name

    def places(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        homes = [h for h in (environ.get("NCCL_TESTS_HOME"), "~/nccl-tests") if h]
        return (*(f"{home}/build/{self.name}" for home in homes), self.name)

    def commands(self, part: Part) -> tuple[Command, ...]:
        if part.role == "server":
            return ()
        plan = part.plan
        ours = {
            "NCCL_GPUDIRECTTCPX_SOCKET_IFNAME": ",".join(part.nics),
            "NCCL_GPUDIRECTTCPX_CTRL_DEV": part.management,
            "NCCL_SOCKET_IFNAME": part.management,
            "NCCL_MIN_NCHANNELS": plan.channels,
            "NCCL_MAX_NCHANNELS": plan.channels,
        }
        # mpirun hands on none but its own variables: without these rank 1 would run another setup.
        nodes = sorted(part.environment.keys() - ours.keys())
        settings = [*(f"{name}={value}" for name, value in ours.items()), *nodes]
        exported = [word for setting in settings for word in ("-x", setting)]
        mpirun = ("mpirun", "-np", 2, "--host", f"localhost:1,{part.peer}:1", *exported)
        sizes = ("-b", plan.size_bytes, "-e", plan.size_bytes, "-g", 1)
        counts = ("-w", WARMUPS, "--iters", plan.iterations, "-c", 1)
        return (Command(words=words(*mpirun, part.place, *sizes, *counts, more=plan.arguments)),)

    def listens(self, plan: Plan) -> tuple[int, ...]:
        return ()

    def due(self, plan: Plan, role: str) -> Due:
        """Timed iterations, out of place and in place."""
        sent = round(SENT[self.name] * plan.size_bytes) * plan.iterations * 2
        return Due(bytes=sent, processes=(0,) if role == "client" else ())

    def reader(self, part: Part) -> Reader:
        return NcclTable(part.plan, SENT[self.name])


class NcclTable:
    """The table that rank 0 prints."""

    def __init__(self, plan: Plan, sent: float) -> None:
        self._plan, self._sent = plan, sent

    def heard(self, text: str, process: int) -> list[Record]:
        if row := ROW.match(text):
            return self._row(row, text)
        if bounds := BOUNDS.search(text):
            wrong = max(int(bounds[1]), int(bounds[2] != "OK"))
            return [said("wrong_values", wrong, text)]
        return [said("error", 1, text)] if FAILED.search(text) else []

    def ended(self, process: int) -> list[Record]:
        return []

    def file(self, name: str, text: str) -> list[Record]:
        return []

    def _row(self, row: re.Match[str], text: str) -> list[Record]:
        """Both halves; times are microseconds of one iteration."""
        size, iterations = int(row[1]), self._plan.iterations
        times_s = [float(row[at]) / 1e6 for at in (2, 6)]
        gb = sum(float(row[at]) * t for at, t in zip((3, 7), times_s, strict=True))
        wrong = [int(cell) for cell in (row[5], row[9]) if cell != "N/A"]
        return [
            said("total_bytes", round(self._sent * size) * iterations * 2, text),
            said("total_s", sum(times_s) * iterations, text),
            said("rate_gb_s", self._sent * gb / sum(times_s), text),
            *[said("wrong_values", count, text) for count in wrong if count],
        ]
