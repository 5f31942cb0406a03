"""Agents that bring nothing but zeros, or by one NIC of two, are red by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.inventory import Inventory
from harness.plan import Plan
from suites.faults.planted_run import Red, expect

pytestmark = pytest.mark.nixl

PLANTED = "suites/nixl/planted.py::test_fault"
REQUIRED = "--hil-nixl-required"
EXPECTED = {
    "zeros": Red("FAIL", "BITFLIP", "{server}/channel 0/chunk 0"),
    "one_nic": Red("FAIL", "MAPPING", "{server}/eth1"),
}


@pytest.mark.requires(nics_per_node=2)
@pytest.mark.parametrize("name", EXPECTED)
def test_a_planted_fault_is_named(
    name: str, inventory: Inventory, agents: Callable[..., Plan], tmp_path: Path
) -> None:
    nodes, tier = inventory.nodes, inventory.tier
    expect(EXPECTED[name], f"{PLANTED}[{name}]", nodes, tier, tmp_path, REQUIRED)
