"""The PCI tree of an A3-high machine, in the shape that its sysfs has.

Four roots, each with a switch that carries two GPUs and a NIC; NUMA node 0 has the first two.
"""

from __future__ import annotations

from pathlib import Path

# root -> its GPUs' and its NIC's bus
ROOTS = {
    "01": (("04", "05"), ("eth1", "06"), 0),
    "07": (("0a", "0b"), ("eth2", "0c"), 0),
    "81": (("84", "85"), ("eth3", "86"), 1),
    "87": (("8a", "8b"), ("eth4", "8c"), 1),
}
NICS = ("eth1", "eth2", "eth3", "eth4")
GPUS = tuple(f"00000000:{bus.upper()}:00.0" for gpus, _, _ in ROOTS.values() for bus in gpus)


def sysfs(root: Path) -> Path:
    """A /sys under `root` with all of it, and a virtual NIC besides."""
    for root_bus, (gpus, (nic, nic_bus), numa) in ROOTS.items():
        start = int(root_bus, 16)
        switch = (
            root
            / f"devices/pci0000:{root_bus}"
            / f"0000:{root_bus}:00.0"
            / f"0000:{start + 1:02x}:00.0"
        )
        for port, bus in enumerate((*gpus, nic_bus)):
            device = switch / f"0000:{start + 2:02x}:{port:02x}.0" / f"0000:{bus}:00.0"
            _device(root, device, numa)
        _nic(root, nic, device)
    virtual = root / "devices/virtual/net/veth0"
    virtual.mkdir(parents=True)
    (root / "class/net/veth0").symlink_to(virtual)
    (root / "class/net/lo").symlink_to(virtual)
    return root


def _device(root: Path, device: Path, numa: int) -> None:
    device.mkdir(parents=True)
    (device / "numa_node").write_text(f"{numa}\n")
    links = root / "bus/pci/devices"
    links.mkdir(parents=True, exist_ok=True)
    (links / device.name).symlink_to(device)


def _nic(root: Path, name: str, device: Path) -> None:
    net = device / "net" / name
    net.mkdir(parents=True)
    (net / "device").symlink_to(device)
    (root / "class/net").mkdir(parents=True, exist_ok=True)
    (root / "class/net" / name).symlink_to(net)
