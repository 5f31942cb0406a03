"""Alike or not, key by key."""

from __future__ import annotations

import pytest

from harness.evidence import NodeFacts
from harness.verdict.parity import FIXES, MAY_DIFFER, TOLERATED, parity

ALIKE = {
    "kernel.release": "6.6.72",
    "cpu.allowed": "0-207",
    "nic.count": "1",
    "nic.eth1.name": "eth1",
    "nic.eth1.mtu": "8244",
    "nic.eth1.driver": "gve",
    "nic.eth1.driver_version": "1.3.3",
    "nic.eth1.firmware": "1.0",
    "nic.eth1.private_flags": "enable-header-split on",
    "nic.eth1.header_split": "on",
    "nic.eth1.numa": "0",
    "nic.eth1.irq_cpus": "2 interrupts: 1 2",
    "environment.NCCL_ALGO": "Ring",
    "clock.wall_offset_s": "0.001000",
    "gpu.count": "8",
    "gpu.driver": "550.90.07",
    "gpu.0.free_mib": "80000",
    "plugin.name": "libnccl-net.so",
    "plugin.sha256": "ab" * 32,
    "plugin.path": "/usr/local/tcpx/lib64/libnccl-net-tcpx.so",
    "devmem.vendor": "yes",
}


def node(name: str, *, unknown: dict[str, str] | None = None, **changed: str) -> NodeFacts:
    """A node that is as ALIKE says, but for `changed` (dots written __) and what is unknown."""
    unknown = unknown or {}
    facts = {**ALIKE, **{key.replace("__", "."): value for key, value in changed.items()}}
    known = {key: value for key, value in facts.items() if key not in unknown}
    return NodeFacts(node=name, facts=known, unknown=unknown)


def test_nodes_that_are_alike_have_no_disparity() -> None:
    found = parity([node("a"), node("b"), node("c")])
    assert (found.disparities, found.unknown) == ((), ())
    assert found.checked == 2 * len(ALIKE)


@pytest.mark.parametrize("key", sorted(set(ALIKE) - {"nic.eth1.name"}))
def test_every_key_that_differs_is_named_with_both_values_and_both_nodes(key: str) -> None:
    other = "99999" if key in ("clock.wall_offset_s", "gpu.0.free_mib") else "something else"
    (one,) = parity([node("a"), node("b", **{key: other})]).forbidden
    assert str(one) == f"{key} is {ALIKE[key]} on a and {other} on b"
    assert one.fix


def test_every_node_is_held_against_the_first() -> None:
    found = parity([node("a"), node("b"), node("c", kernel__release="6.6.93")])
    (one,) = found.forbidden
    assert (one.first_node, one.second_node) == ("a", "c")


def test_what_nobody_can_read_is_counted_and_does_not_stop() -> None:
    unread = {"nic.eth1.firmware": "Operation not supported"}
    found = parity([node("a", unknown=unread), node("b", unknown=unread)])
    assert (found.unknown, found.disparities) == (("nic.eth1.firmware",), ())
    assert found.checked == len(ALIKE) - 1


@pytest.mark.parametrize("blind", ["a", "b"])
def test_what_one_side_cannot_read_is_named(blind: str) -> None:
    unread = {"nic.eth1.firmware": "Operation not permitted"}
    nodes = [node(name, unknown=unread if name == blind else None) for name in "ab"]
    (one,) = parity(nodes).forbidden
    assert one.key == "nic.eth1.firmware"
    assert "unknown (Operation not permitted) on " + blind in str(one)


def test_what_only_one_side_has_is_named() -> None:
    more = NodeFacts(node="b", facts={**ALIKE, "gpu.8.name": "H100"})
    (one,) = parity([node("a"), more]).forbidden
    assert str(one) == "gpu.8.name is unknown (there is no such thing) on a and H100 on b"


def test_a_variable_that_is_not_set_is_known_not_to_be() -> None:
    less = {key: value for key, value in ALIKE.items() if key != "environment.NCCL_ALGO"}
    (one,) = parity([node("a"), NodeFacts(node="b", facts=less)]).forbidden
    assert str(one) == "environment.NCCL_ALGO is Ring on a and (not set) on b"
    assert "[defaults.environment]" in one.fix


def test_names_of_nics_may_differ_and_it_is_said() -> None:
    found = parity([node("a"), node("b", nic__eth1__name="enp6s0")])
    (one,) = found.disparities
    assert found.forbidden == ()
    assert str(one).endswith("(channels go by the order of NICs, not by their names)")


@pytest.mark.parametrize(
    ("key", "near", "far"),
    [
        ("clock.wall_offset_s", "0.900000", "1.100000"),
        ("clock.wall_offset_s", "-0.500000", "-1.500000"),
        ("gpu.0.free_mib", "79000", "78975"),
    ],
)
def test_figures_may_be_apart_by_so_much(key: str, near: str, far: str) -> None:
    assert parity([node("a"), node("b", **{key: near})]).disparities == ()
    (one,) = parity([node("a"), node("b", **{key: far})]).forbidden
    assert one.key == key


def test_an_inventory_may_allow_more_by_name_or_pattern() -> None:
    nodes = [node("a"), node("b", kernel__release="6.6.93", nic__eth1__mtu="1460")]
    assert len(parity(nodes).forbidden) == 2
    allowed = {"kernel.release": "moves on Monday", "nic.*.mtu": "another switch"}
    found = parity(nodes, allowed)
    assert found.forbidden == ()
    assert [one.allowed for one in found.disparities] == ["moves on Monday", "another switch"]


def test_every_permission_has_a_reason_and_every_fix_words() -> None:
    assert all(MAY_DIFFER.values())
    assert all(reason and most > 0 for most, reason in TOLERATED.values())
    assert all(FIXES.values())


def test_the_fix_for_an_mtu_is_a_command() -> None:
    (one,) = parity([node("a"), node("b", nic__eth1__mtu="1460")]).forbidden
    assert one.fix == "ip link set dev eth1 mtu 8244 on b, or the other way round"


def test_the_fix_for_a_vlan_names_all_of_it() -> None:
    a, b = (
        NodeFacts(node=name, facts={"nic.eth1.100.mtu": mtu})
        for name, mtu in (("a", "8244"), ("b", "1460"))
    )
    (one,) = parity([a, b]).forbidden
    assert one.fix == "ip link set dev eth1.100 mtu 8244 on b, or the other way round"
