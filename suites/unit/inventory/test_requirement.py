from __future__ import annotations

import pytest

from harness.errors import InventoryError
from harness.inventory import (
    TIERS,
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
    ],
)
def test_what_is_missing_is_said(requirement, inventory, reason):
    assert requirement.satisfied_by(inventory) == reason


def test_tiers_are_ordered_weakest_first():
    reached = [tier_at_least(MACHINES, tier) for tier in TIERS]
    assert reached == [True, True, True, False]


def test_an_unknown_tier_is_refused():
    with pytest.raises(InventoryError, match="unknown tier 'best'"):
        tier_at_least(MACHINES, "best")
