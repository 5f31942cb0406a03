from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import NodeError
from harness.nic import pci
from suites.unit.nic.a3_high import sysfs


@pytest.mark.parametrize(
    ("spelled", "known"),
    [
        ("00000000:8A:00.0", "0000:8a:00.0"),  # NVML's
        ("0000:8a:00.0", "0000:8a:00.0"),  # sysfs'
        ("8A:00.0", "0000:8a:00.0"),  # lspci's
        ("00010000:0B:1F.7", "10000:0b:1f.7"),  # a domain that needs five digits
    ],
)
def test_an_address_has_one_spelling(spelled: str, known: str) -> None:
    assert pci.bus_id(spelled) == known


@pytest.mark.parametrize("spelled", ["", "GPU-1", "0000:8a:00", "0000:8a:00.8"])
def test_what_is_no_address_is_refused(spelled: str) -> None:
    with pytest.raises(NodeError, match="is not a PCI address"):
        pci.bus_id(spelled)


def test_a_device_hangs_below_its_host_bridge(tmp_path: Path) -> None:
    root = sysfs(tmp_path)
    assert pci.path(root / "bus/pci/devices/0000:0a:00.0") == (
        "pci0000:07",
        "0000:07:00.0",
        "0000:08:00.0",
        "0000:09:00.0",
        "0000:0a:00.0",
    )
    assert pci.path(root / "bus/pci/devices/0000:0A:00.0") == ()  # the trap
    assert pci.path(root / "class/net/veth0/device") == ()


def test_a_driver_s_own_device_below_a_pci_one_is_left_out(tmp_path: Path) -> None:
    device = tmp_path / "devices/pci0000:00/0000:00:03.0/virtio2"
    device.mkdir(parents=True)
    assert pci.path(device) == ("pci0000:00", "0000:00:03.0")


def test_hops_are_links_and_another_root_is_out_of_reach() -> None:
    here = ("pci0000:01", "s", "a", "x")
    assert pci.hops(here, here) == 0
    assert pci.hops(here, ("pci0000:01", "s", "b", "y")) == 4
    assert pci.hops(here, ("pci0000:01", "z")) == 4
    assert pci.hops(here, ("pci0000:07", "s", "a", "x")) == -1
    assert pci.hops(here, ()) == -1


def test_a_device_without_a_numa_node_has_none(tmp_path: Path) -> None:
    assert pci.numa_node("0000:8a:00.0", sysfs(tmp_path)) == 1
    assert pci.numa_node("0000:ff:00.0", tmp_path) == -1
