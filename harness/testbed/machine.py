"""What a testbed's nodes take over from this machine: GPUs, and where programs and libraries lie.

Nothing is initialised here: device files are counted, no driver is asked.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.errors import TestbedError

DEVICES = Path("/dev")
VISIBLE = "CUDA_VISIBLE_DEVICES"
# What sshd gives by itself.
PLACES = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
# ldconfig need not know the driver's folder.
CARRIED = ("LD_LIBRARY_PATH", "CUDA_PATH", "CUDA_HOME")


def gpus(environ: Mapping[str, str], devices: Path = DEVICES) -> tuple[int, ...]:
    """The GPUs that this process may use, by their place in PCI order."""
    count = sum(bool(re.fullmatch(r"nvidia\d+", entry.name)) for entry in devices.iterdir())
    chosen = environ.get(VISIBLE)
    if chosen is None:
        return tuple(range(count))
    places = [text.strip() for text in chosen.split(",") if text.strip()]
    if not all(text.isdigit() and int(text) < count for text in places):
        raise TestbedError(
            f"{VISIBLE} is {chosen!r}",
            expected=f"some of 0..{count - 1}" if count else "nothing, for there is no GPU",
            where="testbed",
        )
    return tuple(int(text) for text in places)


def require_gpus(environ: Mapping[str, str], devices: Path = DEVICES) -> tuple[int, ...]:
    """The same, but none is an error: device memory was asked for."""
    if found := gpus(environ, devices):
        return found
    hidden = f", or none that {VISIBLE} lets through" if environ.get(VISIBLE) == "" else ""
    raise TestbedError(
        f"this machine has no GPU (no {devices}/nvidia0{hidden})",
        where="a testbed of tier testbed-gpu cannot be built",
        fix="Use a machine with an NVIDIA GPU and driver, or host memory",
    )


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """A login's: sshd's own places come first, then this machine's, then this Python's."""
    own = [*environ.get("PATH", "").split(os.pathsep), f"{sys.prefix}/bin"]
    path = dict.fromkeys([*PLACES, *(place for place in own if place.startswith("/"))])
    carried = {name: environ[name] for name in CARRIED if environ.get(name)}
    return {"PATH": os.pathsep.join(path), **carried}
