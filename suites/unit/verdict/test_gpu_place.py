"""The inventory's pairs of GPU and NIC against the machine's PCI tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.evidence import Entry, ExchangePlanned, GpuPlace
from harness.nic.topology import gpu_place
from harness.verdict.exchange import Exchange
from harness.verdict.gpu_place import misplaced, nearest, words, wrong
from suites.unit.nic import a3_high
from suites.unit.verdict.clean import changed, clean


@pytest.fixture
def places(tmp_path: Path) -> list[GpuPlace]:
    root = a3_high.sysfs(tmp_path)
    names = [*a3_high.NICS, "veth0"]
    return [
        gpu_place("alpha", gpu, "GPU-x", address, names, root)
        for gpu, address in enumerate(a3_high.GPUS)
    ]


def test_the_pairs_of_an_a3_are_right(places: list[GpuPlace]) -> None:
    for gpu, place in enumerate(places):
        assert list(wrong(place, a3_high.NICS[gpu // 2], gpu // 4)) == []
        near = nearest(place)
        assert near
        assert near.name == a3_high.NICS[gpu // 2]


def test_another_nic_is_named_with_both_distances(places: list[GpuPlace]) -> None:
    (fact,) = wrong(places[2], "eth1", 0)
    assert fact == (
        "0000:0a:00.0 is paired with eth1 (0000:06:00.0), on another PCI root; "
        "eth2 (0000:0c:00.0) is nearer, 4 PCI links away"
    )


def test_another_numa_node_is_named(places: list[GpuPlace]) -> None:
    (fact,) = wrong(places[7], "eth4", 0)
    assert fact == "0000:8b:00.0 is stated on NUMA node 0 and sits on 1"


def test_what_is_not_stated_or_not_on_pci_is_not_wrong(places: list[GpuPlace]) -> None:
    for nic in ("", "eth9", "veth0"):
        assert list(wrong(places[2], nic, -1)) == []
    assert list(wrong(places[2], "veth0", 1)) == [], "a testbed's pair is not this machine's"
    assert words(places[2].nics[-1]) == "not on PCI"


def test_the_exchanges_gpus_are_compared_with_its_inventory() -> None:
    entries = clean(memory="cuda")
    assert misplaced(Exchange(entries)) == []
    assert misplaced(Exchange(clean())) == []
    (found,) = misplaced(Exchange(paired(entries, "client", "eth2")))
    assert (found.node, found.gpu, found.nic) == ("beta", 0, "eth2")


def paired(entries: list[Entry], role: str, nic: str) -> list[Entry]:
    """The inventory says so of a role's GPU."""
    gpus = {each: {"gpu": 0, "nic": "eth1", "numa": 0} for each in ("server", "client")}
    gpus[role]["nic"] = nic
    return changed(entries, ExchangePlanned, gpus=gpus)
