"""What the controller plans for an exchange, before any node is asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.errors import PlanError
from harness.inventory import GpuSpec, NicSpec, NodeSpec
from harness.plan import Plan
from harness.roles.pair.pair import Pair, gpu_of


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


@pytest.mark.parametrize("poor", ["server", "client"])
def test_a_plan_with_more_rails_than_a_node_has_nics_is_refused(poor: str) -> None:
    """A slice of the NICs would be shorter, and nobody would say so."""
    roles = {
        role: SimpleNamespace(
            spec=NodeSpec(
                name=role,
                address=role,
                nics=tuple(NicSpec(name=f"eth{i}") for i in range(1, 3 if role == poor else 5)),
            )
        )
        for role in ("server", "client")
    }
    written: list[Any] = []
    pair = Pair(**cast(Any, roles), owner="o", tier="t", watches={})
    plan = Plan(exercise="nixl-write", channels=1, rails=4)
    with pytest.raises(PlanError, match=f"{poor}: the plan has 4 rails, the node has 2 data NICs"):
        pair.exchange(plan, name="main-1", test="t", write=written.append)
    assert not written
