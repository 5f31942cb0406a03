"""The PCI tree as sysfs shows it: how a device is spelled, where it hangs, how far two are apart.

NVML spells a GPU `00000000:0A:00.0`, sysfs `0000:0a:00.0`. Whoever looks for the first spelling in
sysfs finds no such device and falls back to the first NIC, silently: `bus_id` is the one spelling.
"""

from __future__ import annotations

import os
import re
from itertools import takewhile
from pathlib import Path

from harness.errors import NodeError

SYSFS = Path("/sys")
ADDRESS = re.compile(r"(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])", re.IGNORECASE)
ROOT = re.compile(r"pci[0-9a-f]{4,8}:[0-9a-f]{2}")


def bus_id(text: str) -> str:
    """The device's address as sysfs spells it: lower case, a domain of four digits."""
    match = ADDRESS.fullmatch(text.strip())
    if match is None:
        raise NodeError(f"{text!r} is not a PCI address", expected="one such as 0000:0a:00.0")
    domain, bus, device, function = match.groups()
    return f"{int(domain or '0', 16):04x}:{bus}:{device}.{function}".lower()


def path(device: Path) -> tuple[str, ...]:
    """Host bridge, bridges and device from the root down; () for what is not on PCI."""
    parts = Path(os.path.realpath(device)).parts
    roots = [at for at, part in enumerate(parts) if ROOT.fullmatch(part)]
    if not roots:
        return ()
    below = takewhile(ADDRESS.fullmatch, parts[roots[0] + 1 :])  # what follows is no PCI device
    return (parts[roots[0]], *below)


def hops(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """Links between two devices; -1 when they share no host bridge."""
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
    return len(a) + len(b) - 2 * common if common else -1


def numa_node(device: str, sysfs: Path = SYSFS) -> int:
    """The NUMA node of a PCI device; -1 where the machine has one only, or no such device."""
    try:
        return int((sysfs / "bus/pci/devices" / device / "numa_node").read_text())
    except FileNotFoundError:
        return -1
