"""What the controller plans for an exchange, before any node is asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.inventory import GpuSpec, NicSpec, NodeSpec
from harness.plan import Plan
from harness.roles.pair.pair import gpu_of


def node(*gpus: GpuSpec) -> Any:
    nics = (NicSpec(name="eth1"), NicSpec(name="eth2"))
    return SimpleNamespace(spec=NodeSpec(name="a", address="a", nics=nics, gpus=gpus))


@pytest.mark.parametrize(
    ("gpu", "told"),
    [
        (0, {"gpu": 0, "nic": "eth1", "numa": -1}),
        (3, {"gpu": 3, "nic": "eth2", "numa": 1}),
        (1, {"gpu": 3, "nic": "eth2", "numa": 1}),  # the node's second
        (5, {"gpu": 5, "nic": "", "numa": -1}),  # the inventory is silent about it
    ],
)
def test_a_plans_gpu_comes_with_what_the_inventory_says_of_it(
    gpu: int, told: dict[str, Any]
) -> None:
    on = node(GpuSpec(index=0, nic="eth1"), GpuSpec(index=3, nic="eth2", numa=1))
    assert gpu_of(on, Plan(gpu=gpu, memory="cuda")) == told
