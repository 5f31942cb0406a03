"""What peers that are Python libraries share: a driver of ours, started on both nodes.

A driver is one file that needs nothing but its library, in a Python that the user names. Its last
line of JSON says when its transfer began and ended and what CPU it took in between; both nodes'
drivers run on one machine's monotonic clock, so times of two sides may be compared.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from harness.bench.bed import CLIENT, SERVER, Bed, both
from harness.bench.figures import Figure, Load
from harness.errors import PeerError

DRIVERS = Path(__file__).parents[1] / "drivers"
FIND_S = 30.0
END_S = 40.0


def installed(python: str, module: str, distribution: str) -> str:
    """The version of `distribution` in that Python if `module` can be imported there, else ''."""
    program = (
        f"import {module}; from importlib.metadata import version; print(version({distribution!r}))"
    )
    try:
        ran = subprocess.run(
            [python, "-c", program], capture_output=True, text=True, timeout=FIND_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""


def drive(
    bed: Bed, load: Load, python: str, driver: str, environment: Mapping[str, str], host: str
) -> Figure:
    """Run both sides; `host` is the node whose address the sides meet at."""
    words = [bed.address(host, 0), bed.port(), load.message_bytes, load.messages, load.channels]
    script = DRIVERS / driver
    server = bed.start(SERVER, [python, script, "server", *words], environment)
    client = bed.start(CLIENT, [python, script, "client", *words], environment)
    sent, took = both(server, client, 8 * load.seconds + END_S)
    return figure(last_json(sent.out), last_json(took.out), sent.cpu_s + took.cpu_s)


def last_json(text: str) -> dict[str, float]:
    """The last line that is a JSON object; libraries may print what they like around it."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                body = json.loads(line)
                return {name: float(value) for name, value in body.items()}
            except (ValueError, TypeError) as error:
                raise PeerError(f"it printed {line[-200:]!r}, which is no figure") from error
    raise PeerError(f"it printed no figures: {text[-200:]!r}")


def figure(client: Mapping[str, float], server: Mapping[str, float], all_cpu_s: float) -> Figure:
    """From the client's first byte to the last of both ends."""
    try:
        ended_s = max(client["ended_s"], server.get("ended_s", 0.0))
        return Figure(
            size_bytes=int(client["bytes"]),
            elapsed_s=ended_s - client["started_s"],
            cpu_s=client["cpu_s"] + server["cpu_s"],
            all_cpu_s=all_cpu_s,
        )
    except KeyError as error:
        raise PeerError(f"its driver did not say {error}") from error
