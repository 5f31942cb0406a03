from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from harness.errors import InventoryError
from harness.inventory import (
    TIERS,
    GpuSpec,
    Inventory,
    NicSpec,
    NodeSpec,
    Requirement,
    TestbedSpec,
    tier_at_least,
)

NICS = (NicSpec(name="eth1"), NicSpec(name="eth2"))
MACHINES = Inventory(
    source="lab.toml",
    tier="two-node",
    nodes=(
        NodeSpec(name="a", address="a", nics=NICS),
        NodeSpec(name="b", address="b", nics=NICS[:1]),
    ),
)
TESTBED = Inventory(source="testbed.toml", tier="testbed", testbed=TestbedSpec(nodes=3, rails=2))


SHAPED = Requirement(shaped=True)


def test_a_rate_can_be_changed_where_a_testbed_shapes_and_tc_is_there(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name, path: f"/usr/sbin/{name}")
    assert SHAPED.satisfied_by(TESTBED) is None
    why = "needs a testbed that shapes its data NICs, lab.toml does not"
    assert SHAPED.satisfied_by(MACHINES) == why
    unshaped = replace(TESTBED, testbed=TestbedSpec(nodes=3, rate_gbit_s=0))
    assert SHAPED.satisfied_by(unshaped) == why.replace("lab", "testbed")


def test_without_tc_no_rate_can_be_changed(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name, path: None)
    assert "needs tc of iproute2" in SHAPED.satisfied_by(TESTBED)


def test_what_is_there_satisfies():
    assert Requirement().satisfied_by(MACHINES) is None
    assert Requirement(nodes=3, nics_per_node=2).satisfied_by(TESTBED) is None


@pytest.mark.parametrize(
    ("requirement", "inventory", "reason"),
    [
        (Requirement(nodes=3), MACHINES, "needs 3 nodes, lab.toml has 2"),
        (Requirement(nodes=4), TESTBED, "needs 4 nodes, testbed.toml has 3"),
        (Requirement(nics_per_node=2), MACHINES, "needs 2 data NICs a node, b has 1"),
        (Requirement(nics_per_node=3), TESTBED, "needs 3 data NICs a node, node 0 has 2"),
        (
            Requirement(tier="two-node"),
            TESTBED,
            "needs tier two-node or better, testbed.toml is testbed",
        ),
        (
            Requirement(gpus_per_node=1),
            TESTBED,
            "needs the nodes' GPUs, testbed.toml of tier testbed has none",
        ),
        (Requirement(gpus_per_node=1), MACHINES, "needs 1 GPUs a node, a has 0"),
        (Requirement(paired_gpus=2), MACHINES, "needs 2 GPUs with a NIC a node, a has 0"),
        (Requirement(paired_gpus=9), TESTBED, "needs 9 GPUs with a NIC a node, node 0 has 8"),
    ],
)
def test_what_is_missing_is_said(requirement, inventory, reason):
    assert requirement.satisfied_by(inventory) == reason


def test_a_testbed_has_gpus_where_the_run_asks_for_their_memory():
    with_gpus = TESTBED.with_memory("cuda")
    assert with_gpus.tier == "testbed-gpu"
    assert Requirement(gpus_per_node=1).satisfied_by(with_gpus) is None
    assert [TESTBED.with_memory(memory) for memory in ("host", None)] == [TESTBED, TESTBED]
    assert MACHINES.with_memory("cuda") == MACHINES, "what a person stated stands"


def test_gpus_that_an_inventory_lists_satisfy():
    gpu = (GpuSpec(index=0, nic="eth1"),)
    nodes = tuple(replace(node, gpus=gpu) for node in MACHINES.nodes)
    assert Requirement(gpus_per_node=1).satisfied_by(replace(MACHINES, nodes=nodes)) is None


def test_gpus_whose_nic_is_stated_need_not_be_there():
    assert Requirement(paired_gpus=8).satisfied_by(TESTBED) is None
    gpus = (GpuSpec(index=0, nic="eth1"), GpuSpec(index=1, nic="eth9"))
    nodes = tuple(replace(node, gpus=gpus) for node in MACHINES.nodes)
    one_each = replace(MACHINES, nodes=nodes)
    assert Requirement(paired_gpus=1).satisfied_by(one_each) is None
    assert "a has 1" in (Requirement(paired_gpus=2).satisfied_by(one_each) or "")


def test_tiers_are_ordered_weakest_first():
    reached = [tier_at_least(MACHINES, tier) for tier in TIERS]
    assert reached == [True, True, True, False]


def test_an_unknown_tier_is_refused():
    with pytest.raises(InventoryError, match="unknown tier 'best'"):
        tier_at_least(MACHINES, "best")
