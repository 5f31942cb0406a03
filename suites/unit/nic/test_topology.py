from __future__ import annotations

import pytest

from harness.nic.topology import numa_node


def test_lo_sits_nowhere():
    assert numa_node("lo") == -1


@pytest.mark.parametrize("node", [-1, 0, 1])
def test_a_device_sits_where_sysfs_says(tmp_path, node):
    device = tmp_path / "eth1" / "device"
    device.mkdir(parents=True)
    (device / "numa_node").write_text(f"{node}\n")
    assert numa_node("eth1", tmp_path) == node
