"""Nodes compared before anything runs, and what stops a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from harness.errors import InventoryError, PreflightError
from harness.evidence import LeaseReleased, LeaseTaken, NodeFacts, PreflightEnded, Record
from harness.preflight import Preflight, preflight
from suites.unit.preflight.nodes import Node, node


@dataclass
class Seen:
    records: list[Record] = field(default_factory=list)

    def fly(self, *nodes: Node, **how: Any) -> Preflight:
        given = {"owner": "run 1", "tier": "testbed", "write": self.records.append, **how}
        return preflight(cast(Any, nodes), **given)

    @property
    def ended(self) -> PreflightEnded:
        (found,) = (one for one in self.records if isinstance(one, PreflightEnded))
        return found


def test_nodes_that_are_alike_pass_and_leave_their_facts() -> None:
    seen = Seen()
    found = seen.fly(node("b"), node("a"))
    assert found.fact("a", "nic.eth1.mtu") == "9000"
    assert found.fact("a", "nothing", "none") == "none"
    said = [one for one in seen.records if isinstance(one, NodeFacts)]
    assert [one.node for one in said] == ["b", "a"]
    assert said[0].facts["nic.count"] == "1"
    assert said[0].facts["clock.wall_offset_s"] == "0.000000"
    assert (seen.ended.problems, seen.ended.nodes, seen.ended.checked) == ((), ("b", "a"), 7)


def test_nodes_are_leased_in_their_names_order_and_given_back() -> None:
    seen, nodes = Seen(), (node("b"), node("a"))
    seen.fly(*nodes)
    leases = [one.node for one in seen.records if isinstance(one, LeaseTaken)]
    assert leases == ["a", "b"]
    assert sum(isinstance(one, LeaseReleased) for one in seen.records) == 2
    assert all(one.held == ["run 1", "released"] for one in nodes)


def test_a_difference_stops_with_key_values_nodes_and_what_to_do() -> None:
    seen = Seen()
    with pytest.raises(PreflightError) as caught:
        seen.fly(node("a"), node("b", nic__eth1__mtu="1500"))
    told = "nic.eth1.mtu is 9000 on a and 1500 on b; ip link set dev eth1 mtu 9000 on b"
    assert str(caught.value).startswith(told)
    assert "[may_differ]" in str(caught.value)
    assert seen.ended.problems[0].startswith(told)


def test_every_difference_is_told_and_the_rest_counted() -> None:
    more = {f"kernel.x{i:02}": "1" for i in range(30)}
    with pytest.raises(PreflightError) as caught:
        Seen().fly(node("a"), node("b", **more))
    lines = caught.value.seen.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 10 more in the journal"


def test_what_the_inventory_allows_does_not_stop() -> None:
    seen = Seen()
    may = {"kernel.*": "moves on Monday"}
    seen.fly(node("a"), node("b", kernel__release="6.6.93"), may_differ=may)
    (allowed,) = seen.ended.allowed
    assert allowed == "kernel.release is 6.6.72 on a and 6.6.93 on b (moves on Monday)"


def test_a_clock_that_is_far_off_stops() -> None:
    late = node("b")
    late.wall_offset_s = 3.5
    with pytest.raises(PreflightError, match=r"clock\.wall_offset_s is 0\.000000 on a and 3\.5"):
        Seen().fly(node("a"), late)


def test_nics_are_called_by_the_first_nodes_names() -> None:
    second = node("b", nic__eth1__name="enp6s0")
    second.nics = ("enp6s0",)
    seen = Seen()
    seen.fly(node("a"), second)
    assert second.started[0][-1] == "eth1=enp6s0"
    assert seen.ended.allowed[0].startswith("nic.eth1.name is eth1 on a and enp6s0 on b")


def test_another_number_of_nics_stops() -> None:
    second = node("b")
    second.nics = ("eth1", "eth2")
    with pytest.raises(PreflightError, match=r"nic\.count is 1 on a and 2 on b"):
        Seen().fly(node("a"), second)


def test_a_nic_that_is_not_there_is_the_inventorys_mistake() -> None:
    lacking = node("b", nic__eth1__name="eth9", nic__eth1__there="no")
    lacking.nics = ("eth9",)
    with pytest.raises(InventoryError, match=r"^b/eth9/channel 0: there is no such NIC; expected"):
        Seen().fly(node("a", nic__eth1__there="yes"), lacking)


def test_a_node_that_is_not_fit_stops_though_both_are_alike() -> None:
    with pytest.raises(PreflightError, match=r"a: plugin\.path is none, expected the plugin's"):
        Seen().fly(node("a"), node("b"), plugin="/lib/p.so")
