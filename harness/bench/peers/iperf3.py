"""iperf3: what the wires and the kernel carry when nobody looks at the bytes.

One process a NIC and side: iperf3 before 3.16 has one thread, and no version spreads a stream over
NICs. It sends the same 512 KiB from cache again and again, so unshaped it is an upper bound.
CPU time is what iperf3 itself counted from the first to the last byte.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from typing import Any

from harness.bench.bed import CLIENT, SERVER, Bed, both
from harness.bench.figures import Figure, Load
from harness.errors import PeerError

LISTEN_S = 0.25  # for the servers to listen; iperf3 says nothing when it does
END_S = 15.0


class Iperf3:
    """One stream a NIC."""

    name = "iperf3"
    install = "apt install iperf3"

    def find(self) -> str:
        if (place := shutil.which("iperf3")) is None:
            return ""
        ran = subprocess.run([place, "--version"], capture_output=True, text=True, timeout=5)
        return version(ran.stdout)

    def run(self, bed: Bed, load: Load) -> Figure:
        port, nics = bed.port(), bed.nics(load.channels)
        to = [bed.address(SERVER, channel) for channel in range(load.channels)]
        servers = [
            bed.start(SERVER, ["iperf3", "-s", "-1", "-J", "-p", port + i, "-B", address])
            for i, address in enumerate(to)
        ]
        time.sleep(LISTEN_S)
        # Without its device, a bound address may leave by another NIC's route.
        sources = [f"{bed.address(CLIENT, i)}%{nic}" for i, nic in enumerate(nics)]
        once = ["iperf3", "-J", "-l", "512K", "-t", load.seconds]
        clients = [
            bed.start(CLIENT, [*once, "-c", address, "-p", port + i, "-B", sources[i]])
            for i, address in enumerate(to)
        ]
        ended = [
            both(server, client, load.seconds + END_S)
            for server, client in zip(servers, clients, strict=True)
        ]
        return together([(parsed(c.out), parsed(s.out), c.cpu_s + s.cpu_s) for c, s in ended])


def version(text: str) -> str:
    """`iperf 3.12 (cJSON 1.7.15)` -> 3.12"""
    found = re.search(r"iperf (\S+)", text)
    return found.group(1) if found else ""


def parsed(text: str) -> tuple[int, float, float]:
    """Bytes received, seconds, CPU seconds of this side."""
    try:
        body: dict[str, Any] = json.loads(text)
        if "error" in body:
            raise PeerError(f"it said {body['error']!r}")
        end = body["end"]
        total = end["sum_received"]
        seconds = float(total["seconds"])
        cpu_s = float(end["cpu_utilization_percent"]["host_total"]) / 100 * seconds
        return int(total["bytes"]), seconds, cpu_s
    except (ValueError, KeyError, TypeError) as error:
        raise PeerError(f"its JSON cannot be read ({error!r}): {text[-200:]!r}") from error


Side = tuple[int, float, float]


def together(streams: list[tuple[Side, Side, float]]) -> Figure:
    """All streams as one: the receivers' rates add up; the streams run at the same time."""
    rate = sum(received / seconds for _, (received, seconds, _), _ in streams if seconds > 0)
    size_bytes = sum(received for _, (received, _, _), _ in streams)
    if rate <= 0:
        raise PeerError("its receivers counted nothing")
    return Figure(
        size_bytes=size_bytes,
        elapsed_s=size_bytes / rate,
        cpu_s=sum(client[2] + server[2] for client, server, _ in streams),
        all_cpu_s=sum(cpu_s for _, _, cpu_s in streams),
    )
