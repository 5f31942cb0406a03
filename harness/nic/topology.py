"""Where NICs and GPUs sit in their machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.evidence import GpuPlace, NicPlace
from harness.nic import pci

SYSFS = Path("/sys/class/net")


def numa_node(nic: str, sysfs: Path = SYSFS) -> int:
    """The NUMA node of the NIC's device; -1 for a virtual NIC or where the machine has one only."""
    try:
        return int((sysfs / nic / "device" / "numa_node").read_text())
    except FileNotFoundError:
        return -1


def nics(sysfs: Path = pci.SYSFS) -> tuple[str, ...]:
    """Every NIC but lo."""
    return tuple(sorted(nic.name for nic in (sysfs / "class/net").iterdir() if nic.name != "lo"))


def gpu_place(
    node: str, gpu: int, uuid: str, address: str, names: Iterable[str], sysfs: Path = pci.SYSFS
) -> GpuPlace:
    """Where a GPU sits, by its PCI address in any spelling, and how far each NIC of `names` is."""
    bus_id = pci.bus_id(address)
    here = pci.path(sysfs / "bus/pci/devices" / bus_id)
    return GpuPlace(
        node=node,
        gpu=gpu,
        uuid=uuid,
        bus_id=bus_id,
        numa=pci.numa_node(bus_id, sysfs),
        nics=tuple(_nic_place(name, here, sysfs) for name in names),
    )


def _nic_place(name: str, gpu: tuple[str, ...], sysfs: Path) -> NicPlace:
    there = pci.path(sysfs / "class/net" / name / "device")
    if not there:
        return NicPlace(name=name)
    numa = pci.numa_node(there[-1], sysfs)
    return NicPlace(name=name, bus_id=there[-1], numa=numa, hops=pci.hops(gpu, there))
