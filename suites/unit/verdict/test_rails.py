"""Where a program's bytes went, by its sockets and the NICs' counters alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.evidence import (
    ChannelDone,
    ChannelSockets,
    Entry,
    ExchangePlanned,
    Judged,
    NicCounters,
    SocketSeen,
    SocketsSeen,
)
from harness.plan import MIB
from harness.verdict.exchange import Exchange
from harness.verdict.rails import rails
from suites.unit.verdict.agented import agented
from suites.unit.verdict.clean import changed, counted, edited, frozen, without


def judged(entries: list[Entry]) -> Judged:
    return rails(Exchange(entries))


def resocketed(entries: list[Entry], role: str, index: int, **fields: Any) -> list[Entry]:
    """One of a role's sockets, with other fields."""

    def edit(said: ChannelSockets) -> ChannelSockets:
        changed: list[SocketSeen] = list(said.sockets)
        changed[index] = replace(changed[index], **fields)
        return replace(said, sockets=tuple(changed))

    return edited(entries, ChannelSockets, edit, role=role)


@pytest.mark.parametrize("exercise", ["nixl-write", "nixl-read"])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_bytes_on_all_rails_pass(exercise: str, count: int) -> None:
    found = judged(agented(exercise, count))
    assert (found.outcome, found.checked) == ("PASS", 4 * count)
    assert f"the observers saw {2 * count} of the sockets" in found.fact
    assert len(found.evidence) == 2 * count


def test_a_socket_on_another_nic_is_named() -> None:
    astray = resocketed(agented(rails=2), "client", 1, nic="eth0", bound_device="")
    found = judged(astray)
    assert (found.outcome, found.klass) == ("FAIL", "MAPPING")
    assert (found.node, found.nic) == ("beta", "eth0")
    assert "expected eth1 or eth2, but" in found.fact


def test_a_nic_of_the_node_that_was_not_given_is_another() -> None:
    astray = resocketed(agented(rails=2), "server", 0, nic="eth4", bound_device="eth4")
    assert (judged(astray).klass, judged(astray).nic) == ("MAPPING", "eth4")


def test_a_socket_on_lo_is_named() -> None:
    found = judged(resocketed(agented(), "server", 3, nic="lo", bound_device=""))
    assert (found.outcome, found.klass, found.node, found.nic) == (
        "FAIL",
        "LOOPBACK",
        "alpha",
        "lo",
    )


@pytest.mark.parametrize(("role", "node"), [("client", "beta"), ("server", "alpha")])
def test_payload_that_no_socket_carried_is_named(role: str, node: str) -> None:
    """As shared memory would between two processes of one machine."""
    field = "bytes_sent" if role == "client" else "bytes_received"
    found = judged(resocketed(agented(), role, 2, **{field: 0}))
    assert (found.outcome, found.klass, found.node) == ("FAIL", "TRAFFIC", node)
    assert "the payload is 16,777,216: the rest took another way than TCP" in found.fact


def _on_first(exercise: str, *, but: int = 0) -> list[Entry]:
    """All bytes on eth1, `but` so many on each other rail."""
    entries = agented(exercise)
    whole = 17 * MIB
    for role, field in (("client", "bytes_sent"), ("server", "bytes_received")):
        for index in range(4):
            entries = resocketed(entries, role, index, **{field: but if index else whole})
    for node, field in (("beta", "bytes_sent"), ("alpha", "bytes_recv")):
        entries = counted(entries, node, "eth1", **{field: 13 * MIB})
    return entries


def test_one_rail_for_all_is_named() -> None:
    found = judged(_on_first("nixl-write"))
    assert (found.outcome, found.klass, found.nic) == ("FAIL", "MAPPING", "eth2")
    assert "all is on eth1: NO_PARALLELISM" in found.fact


def test_a_read_may_use_one_rail_and_says_so() -> None:
    found = judged(_on_first("nixl-read"))
    assert found.outcome == "PASS"
    assert "1 of them with 1% or more" in found.fact


def test_a_rail_with_little_is_named_with_its_share() -> None:
    entries = agented()
    for role, field in (("client", "bytes_sent"), ("server", "bytes_received")):
        entries = resocketed(entries, role, 0, **{field: 8 * MIB})
        entries = resocketed(entries, role, 2, **{field: MIB})
    for node, field in (("beta", "bytes_sent"), ("alpha", "bytes_recv")):
        entries = counted(entries, node, "eth1", **{field: 4 * MIB})
    found = judged(entries)
    assert (found.outcome, found.klass, found.nic) == ("FAIL", "MAPPING", "eth3")
    assert "expected at least 12.5%" in found.fact
    assert "NO_PARALLELISM" not in found.fact


def test_a_counter_that_stood_still_is_open() -> None:
    found = judged(frozen(agented(), "alpha", "eth3"))
    assert (found.outcome, found.klass, found.nic) == ("INCONCLUSIVE", "COUNTER", "eth3")


def test_a_rail_whose_counter_lacks_what_its_sockets_moved_is_named() -> None:
    found = judged(counted(agented(), "beta", "eth2", bytes_sent=-MIB))
    assert (found.outcome, found.klass, found.nic) == ("FAIL", "MAPPING", "eth2")


def test_a_rail_that_is_down_comes_first() -> None:
    def down(record: NicCounters) -> NicCounters:
        nics = tuple(replace(nic, up=nic.up and nic.name != "eth2") for nic in record.nics)
        return replace(record, nics=nics)

    found = judged(edited(agented(), NicCounters, down, node="beta", phase="settled"))
    assert (found.outcome, found.klass, found.nic, found.channel) == (
        "FAIL",
        "LINK_DOWN",
        "eth2",
        -1,
    )


@pytest.mark.parametrize(("kind", "where"), [(ChannelSockets, "role"), (SocketsSeen, "node")])
def test_without_sockets_or_observer_it_is_open(kind: type[Any], where: str) -> None:
    gone = without(agented(), kind, **{where: "client" if where == "role" else "beta"})
    found = judged(gone)
    assert (found.outcome, found.klass, found.node) == ("INCONCLUSIVE", "NO_EVIDENCE", "beta")


@pytest.mark.parametrize(("poor", "node"), [("server", "alpha"), ("client", "beta")])
def test_rails_that_a_node_has_no_nics_for_are_the_inventorys(poor: str, node: str) -> None:
    def fewer(planned: ExchangePlanned) -> ExchangePlanned:
        return replace(planned, nics={**planned.nics, poor: planned.nics[poor][:3]})

    found = judged(edited(agented(rails=4), ExchangePlanned, fewer))
    assert (found.klass, found.node) == ("INVENTORY", node)
    assert found.outcome not in ("PASS", "FAIL")
    assert "4 rails planned, the inventory gives 3 data NICs" in found.fact


@pytest.mark.parametrize(("role", "node"), [("server", "alpha"), ("client", "beta")])
def test_an_observer_that_saw_none_of_the_sockets_in_time_proves_nothing(
    role: str, node: str
) -> None:
    unseen = changed(agented(), SocketsSeen, where={"node": node}, sockets=())
    assert judged(unseen).outcome == "PASS"  # 0.99 s may be too short for it
    slow = changed(
        unseen, ChannelDone, where={"role": role}, started_s=10.0, ended_s=12.5, chunks=32
    )
    found = judged(slow)
    assert (found.outcome, found.klass, found.node) == ("INCONCLUSIVE", "NO_EVIDENCE", node)
    assert f"saw none of the {role}'s sockets in 2.5 s" in found.fact


def test_a_read_over_another_backend_has_no_excuse_for_one_rail() -> None:
    def other(planned: ExchangePlanned) -> ExchangePlanned:
        return replace(planned, plan={**planned.plan, "backend": "LIBFABRIC"})

    found = judged(edited(_on_first("nixl-read"), ExchangePlanned, other))
    assert (found.outcome, found.klass, found.nic) == ("FAIL", "MAPPING", "eth2")
