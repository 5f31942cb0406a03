"""Where a NIC sits in its machine."""

from __future__ import annotations

from pathlib import Path

SYSFS = Path("/sys/class/net")


def numa_node(nic: str, sysfs: Path = SYSFS) -> int:
    """The NUMA node of the NIC's device; -1 for a virtual NIC or where the machine has one only."""
    try:
        return int((sysfs / nic / "device" / "numa_node").read_text())
    except FileNotFoundError:
        return -1
