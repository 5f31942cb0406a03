"""A NIC's facts: this machine's loopback, and folders made as sysfs has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.facts import Sheet, nics
from harness.nic import ethtool, rings


def test_a_nic_is_called_by_its_label() -> None:
    sheet = Sheet()
    nics.tell(sheet, {"eth1": "lo"})
    assert sheet.facts["nic.eth1.name"] == "lo"
    assert sheet.facts["nic.eth1.there"] == "yes"
    assert sheet.facts["nic.eth1.mtu"] == Path("/sys/class/net/lo/mtu").read_text().strip()
    assert sheet.unknown["nic.eth1.driver"] == "Operation not supported"


def test_a_nic_that_is_not_there_is_unknown_in_everything() -> None:
    sheet = Sheet()
    nics.tell(sheet, {"eth1": "nosuchnic"})
    assert sheet.unknown["nic.eth1.mtu"] == "No such file or directory"
    assert sheet.unknown["nic.eth1.driver"] == "No such device"
    assert sheet.facts["nic.eth1.name"] == "nosuchnic"
    assert sheet.facts["nic.eth1.there"] == "no"


def interrupts(folder: Path, where: str, lists: dict[int, str]) -> Path:
    """A NIC whose interrupts are listed in `where`; their CPUs lie in folder/irq."""
    nic = folder / "nic"
    (nic / "device").mkdir(parents=True)
    (nic / where / "msi_irqs").mkdir(parents=True)
    for number, cpus in lists.items():
        (nic / where / "msi_irqs" / str(number)).touch()
        (folder / "irq" / str(number)).mkdir(parents=True)
        (folder / "irq" / str(number) / "smp_affinity_list").write_text(f"{cpus}\n")
    return nic


@pytest.mark.parametrize("where", ["device", "."])  # of the device, or of what it sits on
def test_interrupts_are_told_with_their_cpus_in_their_order(tmp_path: Path, where: str) -> None:
    nic = interrupts(tmp_path, where, {100: "3", 79: "1-2"})
    assert nics.irq_cpus(nic, str(tmp_path / "irq")) == "2 interrupts: 1-2 3"


def test_a_virtual_nic_has_no_interrupts(tmp_path: Path) -> None:
    assert nics.irq_cpus(tmp_path, str(tmp_path)) == "none"


def split(monkeypatch: pytest.MonkeyPatch, flags: dict[str, bool]) -> str:
    monkeypatch.setattr(ethtool, "private_flags", lambda nic: flags)
    monkeypatch.setattr(rings, "tcp_data_split", lambda nic: "by netlink")
    sheet = Sheet()
    nics.tell(sheet, {"eth1": "lo"})
    return sheet.facts["nic.eth1.header_split"]


def test_a_drivers_own_switch_counts_for_header_split(monkeypatch: pytest.MonkeyPatch) -> None:
    assert split(monkeypatch, {"enable-header-split": True}) == "on"
    assert split(monkeypatch, {"enable-header-split": False}) == "off"
    assert split(monkeypatch, {"other": True}) == "by netlink"


def test_private_flags_are_told_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ethtool, "private_flags", lambda nic: {"b": False, "a": True})
    sheet = Sheet()
    nics.tell(sheet, {"eth1": "lo"})
    assert sheet.facts["nic.eth1.private_flags"] == "a on, b off"
