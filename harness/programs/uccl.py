"""What UCCL's programs have in common: where they are built, and the environment they read.

The plan's values win over the node's environment, since a role must run the plan that is judged;
what the plan does not say (chunk sizes of NCCL, the plugin's tuning) yields to it. Without
NCCL_DYNAMIC_CHUNK_SIZE the plugin hangs.
"""

from __future__ import annotations

import os.path
from collections.abc import Mapping

from harness.programs.program import Part

INSTALL = "build it with `make` in p2p/tcpx of UCCL and set UCCL_HOME in the node's environment"


def places(environ: Mapping[str, str], *inside: str) -> tuple[str, ...]:
    """Where a file of p2p/tcpx may be: below UCCL_HOME, below ~/uccl, in PATH."""
    homes = [home for home in (environ.get("UCCL_HOME"), "~/uccl") if home]
    built = [os.path.join(home, "p2p", "tcpx", place) for home in homes for place in inside]
    return (*built, os.path.basename(inside[0]))


def environment(part: Part) -> dict[str, str]:
    """What the plan makes of the variables that the programs and the plugin read."""
    plan = part.plan
    return {
        "UCCL_TCPX_NUM_CHANNELS": str(plan.channels),
        "UCCL_TCPX_PERF_SIZE": str(plan.size_bytes),
        "UCCL_TCPX_PERF_ITERS": str(plan.iterations),
        "UCCL_TCPX_CHUNK_BYTES": str(plan.chunk_bytes),
        "UCCL_TCPX_BOOTSTRAP_PORT_BASE": str(plan.port_base),
        "NCCL_NSOCKS_PERTHREAD": str(plan.sockets_per_channel),
        "NCCL_SOCKET_NTHREADS": "1",
        "NCCL_GPUDIRECTTCPX_SOCKET_IFNAME": ",".join(part.nics),
    }


def defaults(part: Part) -> dict[str, str]:
    """What holds where the node's environment says nothing."""
    return {
        "NCCL_DYNAMIC_CHUNK_SIZE": str(part.plan.chunk_bytes),
        "NCCL_GPUDIRECTTCPX_CTRL_DEV": part.management,
        "NCCL_SOCKET_IFNAME": part.management,
    }


def role_words(part: Part, gpu: str | None) -> tuple[str, ...]:
    """`server [GPU]` or `client ADDRESS [GPU]`."""
    where = (part.peer,) if part.role == "client" else ()
    return (part.role, *where, *((gpu,) if gpu is not None else ()))
