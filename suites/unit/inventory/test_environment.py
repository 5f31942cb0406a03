"""Three layers of environment, the upper ones winning."""

from __future__ import annotations

import pytest

from harness.errors import PresetError
from harness.inventory import Inventory, NodeSpec, dressed


def inventory(**fields: object) -> Inventory:
    node = NodeSpec(name="a", address="a", **fields)  # type: ignore[arg-type]
    return Inventory(source="test", tier="two-node", nodes=(node,))


def test_a_preset_lies_below_what_the_inventory_states() -> None:
    given = inventory(preset="gke", environment={"NCCL_ALGO": "Tree", "MINE": "1"})
    (node,) = dressed(given, None, {}).nodes
    assert node.environment["NCCL_ALGO"] == "Tree"
    assert node.environment["MINE"] == "1"
    assert node.environment["NCCL_PROTO"] == "Simple"


def test_the_runs_preset_replaces_the_inventorys() -> None:
    (node,) = dressed(inventory(preset="gke"), "skypilot", {}).nodes
    assert node.preset == "skypilot"
    assert node.environment["NCCL_BUFFSIZE"] == "8388608"


def test_debug_switches_lie_on_top() -> None:
    given = inventory(environment={"NCCL_DEBUG": "WARN"})
    (node,) = dressed(given, None, {"NCCL_DEBUG": "TRACE", "NCCL_ALGO": "Tree"}).nodes
    assert node.environment == {"NCCL_DEBUG": "TRACE"}


def test_nothing_asked_for_is_nothing_changed() -> None:
    assert dressed(inventory(), None, {}) == inventory()


def test_what_a_preset_lacks_is_an_error() -> None:
    with pytest.raises(PresetError, match="SLURM_JOB_ID"):
        dressed(inventory(preset="slurm"), None, {})
