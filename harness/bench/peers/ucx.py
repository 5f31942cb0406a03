"""ucx_perftest with tags: UCX's own multi-rail TCP, between two processes that poll.

UCX pairs the rails of two nodes in the order in which each lists its NICs, which differs between
namespaces: some of four lanes may then share a NIC. `nics_used` of its figures says when they did.
CPU time is of the whole processes, their start included; they poll, so that hardly matters.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time

from harness.bench.bed import CLIENT, SERVER, Bed, both
from harness.bench.figures import Figure, Load
from harness.errors import PeerError
from harness.plan.ucx import environment

LISTEN_S = 0.3
END_S = 30.0
WARMUP = 1  # messages before the clock starts
MIB = 1 << 20


class UcxPerftest:
    """tag_bw, one message after the other."""

    name = "ucx_perftest"
    install = "apt install ucx-utils"

    def find(self) -> str:
        if shutil.which("ucx_perftest") is None or (info := shutil.which("ucx_info")) is None:
            return ""
        ran = subprocess.run([info, "-v"], capture_output=True, text=True, timeout=10)
        found = re.search(r"[Vv]ersion[ =]+\"?([\d.]+)", ran.stdout)
        return found.group(1) if found else "unknown"

    def run(self, bed: Bed, load: Load) -> Figure:
        settings = environment(bed.nics(load.channels))
        test = ["-p", bed.port(), "-t", "tag_bw", "-s", load.message_bytes]
        test += ["-n", load.messages, "-w", WARMUP]
        server = bed.start(SERVER, ["ucx_perftest", *test], settings)
        time.sleep(LISTEN_S)
        address = bed.address(SERVER, 0)
        client = bed.start(CLIENT, ["ucx_perftest", address, *test, "-f", "-v"], settings)
        ended = both(server, client, 8 * load.seconds + END_S)
        gb_s = rate_gb_s(ended[0].out)
        size_bytes = load.messages * load.message_bytes
        cpu_s = sum(one.cpu_s for one in ended)
        return Figure(
            size_bytes=size_bytes,
            elapsed_s=size_bytes / gb_s / 1e9,
            cpu_s=cpu_s * load.messages / (load.messages + WARMUP),
            all_cpu_s=cpu_s,
        )


def rate_gb_s(text: str) -> float:
    """The column overall_bw, which is in MiB/s, of the last row."""
    rows = [line.split(",") for line in text.strip().splitlines() if "," in line]
    try:
        value = float(rows[-1][rows[0].index("overall_bw")]) * MIB / 1e9
    except (ValueError, IndexError) as error:
        raise PeerError(f"it printed no overall_bw: {text[-200:]!r}") from error
    if value <= 0:
        raise PeerError(f"it printed a rate of {value:g}")
    return value
