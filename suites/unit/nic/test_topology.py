from __future__ import annotations

from pathlib import Path

import pytest

from harness.evidence import GpuPlace, NicPlace
from harness.nic.topology import gpu_place, nics, numa_node
from suites.unit.nic import a3_high


def test_lo_sits_nowhere():
    assert numa_node("lo") == -1


@pytest.mark.parametrize("node", [-1, 0, 1])
def test_a_device_sits_where_sysfs_says(tmp_path, node):
    device = tmp_path / "eth1" / "device"
    device.mkdir(parents=True)
    (device / "numa_node").write_text(f"{node}\n")
    assert numa_node("eth1", tmp_path) == node


@pytest.fixture
def a3(tmp_path: Path) -> Path:
    return a3_high.sysfs(tmp_path)


def place(a3: Path, gpu: int) -> GpuPlace:
    """Of a GPU as NVML spells it."""
    return gpu_place("a", gpu, "GPU-x", a3_high.GPUS[gpu], [*a3_high.NICS, "veth0"], a3)


@pytest.mark.parametrize("gpu", range(8))
def test_each_gpu_of_an_a3_is_four_links_from_its_nic_and_out_of_reach_of_others(
    a3: Path, gpu: int
) -> None:
    """GPUs 2, 3, 6 and 7 have letters in their addresses, which NVML spells in upper case."""
    seen = place(a3, gpu)
    near = a3_high.NICS[gpu // 2]
    assert {nic.name: nic.hops for nic in seen.nics} == {
        **dict.fromkeys([*a3_high.NICS, "veth0"], -1),
        near: 4,
    }
    assert seen.numa == gpu // 4
    assert {nic.name: nic.numa for nic in seen.nics}[near] == gpu // 4


def test_a_virtual_nic_has_no_place(a3: Path) -> None:
    assert place(a3, 0).nics[-1] == NicPlace(name="veth0")
    assert place(a3, 6).bus_id == "0000:8a:00.0"
    assert place(a3, 6).nics[3].bus_id == "0000:8c:00.0"


def test_lo_is_not_among_the_nics(a3: Path) -> None:
    assert nics(a3) == (*a3_high.NICS, "veth0")
