"""What the controller plans for an exchange, before any node is asked."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.errors import PlanError
from harness.inventory import GpuSpec, NicSpec, NodeSpec
from harness.plan import Plan
from harness.roles.pair.pair import Pair
from harness.roles.pair.prepared import Prepared, gpu_of, nics_of


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


def test_a_plan_that_keeps_to_its_gpus_nic_has_that_one_alone() -> None:
    on = node(GpuSpec(index=0, nic="eth1"), GpuSpec(index=3, nic="eth2"))
    assert nics_of(on, Plan(gpu=3)) == ("eth1", "eth2")
    assert nics_of(on, Plan(gpu=3, own_nic=True)) == ("eth2",)
    assert nics_of(on, Plan(gpu=1, own_nic=True)) == ("eth2",), "the node's second"


@pytest.mark.parametrize("gpu", [GpuSpec(index=1, nic="eth1"), GpuSpec(index=0, nic="eth9")])
def test_a_gpu_that_is_paired_with_no_nic_cannot_keep_to_it(gpu: GpuSpec) -> None:
    with pytest.raises(PlanError, match="the inventory pairs GPU 5 with no data NIC"):
        nics_of(node(gpu), Plan(gpu=5, own_nic=True))


def test_a_mesh_is_planned_whole_before_any_node_is_asked() -> None:
    """Also the plan of the last GPU is looked at before the first is written."""
    written: list[Any] = []
    pair = pair_of(server=FOUR, client=FOUR)

    def write(exchange: str, record: Any) -> None:
        written.append(exchange)

    for plans in ((Plan(gpu=1), Plan(gpu=1)), (Plan(gpu=0), Plan(gpu=1, own_nic=True))):
        with pytest.raises(PlanError):
            pair.mesh(plans, name="main-1", test="t", write=write)
    assert not written


def test_two_gpus_of_a_mesh_that_are_the_same_one_on_a_node_are_refused() -> None:
    """Its GPUs are 1 and 2: GPU 0 is its first, and so is GPU 1."""
    written: list[Any] = []
    pair = pair_of(server=FOUR, client=FOUR)
    gpus = (GpuSpec(index=1, nic="eth1"), GpuSpec(index=2, nic="eth2"))
    spec = replace(pair.client.spec, gpus=gpus)
    pair = replace(pair, client=cast(Any, SimpleNamespace(spec=spec)))
    with pytest.raises(PlanError, match="client: GPUs 0 and 1 of the mesh are both device 1"):
        pair.mesh(
            [Plan(gpu=0), Plan(gpu=1)], name="m", test="t", write=lambda _, one: written.append(one)
        )
    assert not written


def pair_of(**nodes: tuple[str, ...]) -> Pair:
    """A server and a client, each with these NICs."""
    roles = {
        role: SimpleNamespace(
            spec=NodeSpec(
                name=role, address=role, management=names[0], nics=tuple(map(nic, names[1:]))
            )
        )
        for role, names in nodes.items()
    }
    return Pair(**cast(Any, roles), owner="o", tier="t", watches={})


def nic(name: str) -> NicSpec:
    return NicSpec(name=name)


FOUR = ("eth0", "eth1", "eth2", "eth3", "eth4")


@pytest.mark.parametrize("poor", ["server", "client"])
def test_a_plan_with_more_rails_than_a_node_has_nics_is_refused(poor: str) -> None:
    """A slice of the NICs would be shorter, and nobody would say so."""
    written: list[Any] = []
    pair = pair_of(**{"server": FOUR, "client": FOUR, poor: FOUR[:3]})
    plan = Plan(exercise="nixl-write", channels=1, rails=4)
    with pytest.raises(PlanError, match=f"{poor}: the plan has 4 rails, the node has 2 data NICs"):
        pair.exchange(plan, name="main-1", test="t", write=written.append)
    assert not written


@pytest.mark.parametrize("other", [("ens0", *FOUR[1:]), ("eth0", "eth2", "eth1", "eth3", "eth4")])
def test_one_environment_for_both_nodes_needs_the_same_names_on_both(
    other: tuple[str, ...],
) -> None:
    written: list[Any] = []
    pair = pair_of(server=other, client=FOUR)
    with pytest.raises(PlanError, match="all_reduce_perf is told the NICs") as refused:
        pair.exchange(Plan(program="all_reduce_perf"), name="m", test="t", write=written.append)
    assert refused.value.where == "server"
    assert f"here they are {', '.join(other)}" in refused.value.seen
    assert not written


def test_a_program_with_a_process_of_its_own_on_each_node_may_have_other_names() -> None:
    pair = pair_of(server=("ens0", "ens1"), client=("eth0", "eth1"))
    assert pair._assign(Plan(program="iperf3", channels=1))["server"].nics == ("ens1",)


def test_channels_take_the_nics_in_turn_from_the_first_that_was_asked_for() -> None:
    pair = replace(pair_of(server=("eth0", "eth1", "eth2"), client=FOUR), first_nic=1)
    assigned = pair._assign(Plan())
    assert assigned["server"].nics == ("eth2", "eth1")
    assert assigned["client"].nics == ("eth2", "eth3", "eth4", "eth1")
    one = Prepared(Plan(), assigned, "", lambda record: None)
    assert pair._planned(one, "t").nics["server"] == ["eth2", "eth1"]


def test_a_first_nic_that_a_node_has_not_is_refused() -> None:
    """Else its channels would begin with another NIC than the one that was asked for."""
    pair = replace(pair_of(server=("eth0", "eth1", "eth2"), client=FOUR), first_nic=2)
    with pytest.raises(PlanError, match=r"server: the first NIC is number 2; expected .* 0\.\.1"):
        pair._assign(Plan())
