"""UCCL's `run_p2p_fullmesh.sh`: a `test_tcpx_perf_multi` a GPU, all at once, a log file each.

It starts them in the background and ends with 0 whatever became of them, so the logs alone tell:
each GPU's must be there, in a folder of this exchange's own (the newest file elsewhere may be of
another day), and have the words of success. GPUs 0 and 1 use the first NIC, 2 and 3 the second, and
so on. The plan's channels are those of all GPUs together and are numbered so that channel i is
still on NIC i mod n; its bytes are those of all GPUs too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.errors import PlanError
from harness.evidence import Record
from harness.plan import PROGRAM_CLAIMS, Plan
from harness.programs import uccl
from harness.programs.program import Command, Due, Part, Reader, words
from harness.programs.uccl_lines import UcclLines

GPUS = 8
GPUS_PER_NIC = 2
NICS = GPUS // GPUS_PER_NIC
SUCCESS = "[PERF] Benchmark completed successfully"
LOG = re.compile(r"fullmesh_(server|client)_gpu(\d+)_\d{8}_\d{6}\.log$")


class Fullmesh:
    """Eight GPUs on four NICs."""

    name = "run_p2p_fullmesh.sh"
    install = uccl.INSTALL
    settles: tuple[str, ...] = PROGRAM_CLAIMS

    def places(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        return uccl.places(environ, f"scripts/{self.name}", self.name)

    def commands(self, part: Part) -> tuple[Command, ...]:
        plan = part.plan
        environment = uccl.environment(part) | {
            "UCCL_TCPX_NUM_CHANNELS": str(per_gpu(plan)),
            "UCCL_TCPX_PERF_SIZE": str(plan.size_bytes // GPUS),
            "GPU_LIST": " ".join(map(str, range(GPUS))),
            "LOG_DIR": part.folder,
        }
        del environment["NCCL_GPUDIRECTTCPX_SOCKET_IFNAME"]  # the script gives each GPU its own
        role = uccl.role_words(part, None)
        return (
            Command(
                words=words(part.place, *role, more=plan.arguments),
                environment=environment,
                defaults=uccl.defaults(part),
            ),
        )

    def listens(self, plan: Plan) -> tuple[int, ...]:
        return tuple(plan.port_base + gpu for gpu in range(GPUS))

    def due(self, plan: Plan, role: str) -> Due:
        per_gpu(plan)
        return Due(
            bytes=plan.total_bytes,
            processes=tuple(range(GPUS)),
            iterations=plan.iterations,
            success=SUCCESS,
        )

    def reader(self, part: Part) -> Reader:
        return FullmeshLogs(part)


class FullmeshLogs(UcclLines):
    """What the script prints itself is not a GPU's; what its logs hold is."""

    def __init__(self, part: Part) -> None:
        each = per_gpu(part.plan)
        super().__init__(SUCCESS, lambda gpu, own: channel(gpu, own, each))
        self._role = part.role

    def heard(self, text: str, process: int) -> list[Record]:
        return []

    def file(self, name: str, text: str) -> list[Record]:
        found = LOG.search(name)
        if not found or found[1] != self._role:
            return []
        gpu = int(found[2])
        return [
            record
            for line in text.splitlines()
            for record in super(FullmeshLogs, self).heard(line, gpu)
        ]


def per_gpu(plan: Plan) -> int:
    """Channels of each GPU; their sum must be the plan's."""
    if plan.channels % GPUS or plan.size_bytes % (GPUS * plan.chunk_bytes):
        raise PlanError(
            f"{plan.channels} channels, {plan.size_bytes} bytes",
            expected=f"as many for each of {GPUS} GPUs, in whole chunks",
        )
    return plan.channels // GPUS


def channel(gpu: int, own: int, each: int) -> int:
    """The exchange's number of a GPU's own channel: its NIC's number modulo the NICs."""
    return gpu // GPUS_PER_NIC + NICS * ((gpu % GPUS_PER_NIC) * each + own)
