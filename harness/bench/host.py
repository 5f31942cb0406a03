"""What one core does to bytes that have arrived, against a plain copy of as many in the same run.

Measured in a process of its own, so that neither the controller's threads nor its memory take part.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping

from harness.bench.figures import GB, Figure
from harness.bench.machine import await_idle
from harness.bench.rounds import Taken
from harness.errors import PeerError

NAME = "host"
SIZE_BYTES = 256 << 20
MODULE = "harness.bench.drivers.host"
END_S = 120.0
PEERS = {"copy": "memory copy", "verify": "verification", "fill": "filling", "unpack": "unpacking"}


def measure(rounds: int, *, idle_s: float) -> dict[str, list[float]]:
    """GB/s of one core by what it did, a figure a round."""
    await_idle(idle_s)
    command = [sys.executable, "-m", MODULE, str(SIZE_BYTES), str(rounds)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=END_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise PeerError(f"it took more than {END_S:g} s", where=MODULE) from error
    if ran.returncode:
        raise PeerError(f"it ended with {ran.returncode}: {ran.stderr[-300:]}", where=MODULE)
    return parsed(ran.stdout)


def parsed(text: str) -> dict[str, list[float]]:
    """Every rate positive, and as many of one kind as of the other."""
    try:
        body = {name: [float(v) for v in values] for name, values in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise PeerError(f"it printed {text[-200:]!r}, which is no figure", where=MODULE) from error
    if set(body) != set(PEERS) or min(map(min, body.values()), default=0) <= 0:
        raise PeerError(f"it printed {text[-200:]!r}", expected=f"{list(PEERS)}", where=MODULE)
    return body


def taken(rates: Mapping[str, list[float]]) -> list[Taken]:
    """As turns of peers: one core is busy all the time, so CPU time is wall time."""
    return [
        Taken(peer=PEERS[name], channels=1, round=number, figure=_figure(gb_s))
        for name, values in rates.items()
        for number, gb_s in enumerate(values)
    ]


def _figure(gb_s: float) -> Figure:
    took_s = SIZE_BYTES / GB / gb_s
    return Figure(size_bytes=SIZE_BYTES, elapsed_s=took_s, cpu_s=took_s, all_cpu_s=took_s)


def verification_share(rates: Mapping[str, list[float]]) -> float:
    """Verification's speed as a part of a copy's, the median over the rounds."""
    pairs = zip(rates["verify"], rates["copy"], strict=True)
    return statistics.median(verify / copy for verify, copy in pairs)
