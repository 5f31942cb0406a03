from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import TestbedError
from harness.inventory import TestbedSpec
from harness.testbed import layout


def test_names_go_on_beyond_the_alphabet() -> None:
    assert [layout.node_name(i) for i in (0, 1, 25, 26)] == [
        "node-a",
        "node-b",
        "node-z",
        "node-27",
    ]


def test_an_address_says_rail_and_node() -> None:
    assert layout.address(3, 1) == "198.18.3.2"


def test_every_problem_of_a_spec_is_in_one_error() -> None:
    with pytest.raises(TestbedError) as caught:
        layout.check(TestbedSpec(nodes=0, rails=17, mtu=100, rate_gbit_s=40.0))
    for text in ("nodes is 0, expected 1..64", "rails is 17", "mtu is 100", "rate_gbit_s is 40.0"):
        assert text in str(caught.value)


def test_the_default_can_be_built() -> None:
    layout.check(TestbedSpec())


@pytest.mark.parametrize("rails", [1, 3, 4])
def test_nics_and_gpus_are_shared_out_in_order(rails: int) -> None:
    spec = TestbedSpec(rails=rails)
    nics = layout.nics(spec)
    assert [nic.name for nic in nics] == [f"eth{rail + 1}" for rail in range(rails)]
    assert sorted({gpu.nic for gpu in layout.gpus(spec)}) == [nic.name for nic in nics]
    assert [gpu.nic for gpu in layout.gpus(spec)] == sorted(g.nic for g in layout.gpus(spec))


@pytest.mark.parametrize(
    ("machine", "shares"),
    [
        ((0,), [(0,), (0,)]),  # shared
        ((0, 1), [(0,), (1,)]),
        ((3, 1, 2), [(3, 1), (2,)]),
        ((0, 1, 2, 3), [(0, 1), (2, 3)]),
    ],
)
def test_the_machines_gpus_are_dealt_to_the_nodes(
    machine: tuple[int, ...], shares: list[tuple[int, ...]]
) -> None:
    specs = layout.node_specs(TestbedSpec(), Path("/"), machine)
    assert [tuple(gpu.index for gpu in node.gpus) for node in specs] == shares
    assert {gpu.numa for node in specs for gpu in node.gpus} == {-1}, "a veth is near to none"
    assert [gpu.nic for gpu in specs[0].gpus] == ["eth1", "eth3"][: len(shares[0])]


def test_the_first_half_of_the_nics_is_on_numa_node_0() -> None:
    assert [nic.numa for nic in layout.nics(TestbedSpec())] == [0, 0, 1, 1]


def test_a_door_fits_into_a_socket_address() -> None:
    specs = layout.node_specs(TestbedSpec(nodes=64), Path("/proc/4194304/root"))
    assert max(len(spec.door) for spec in specs) <= 107
