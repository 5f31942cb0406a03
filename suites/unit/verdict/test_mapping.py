"""The mapping: whichever source puts a channel on another NIC, node, NIC and channel are named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import (
    ChannelMapped,
    ChannelSockets,
    Entry,
    ExchangePlanned,
    SocketsSeen,
)
from harness.verdict.exchange import Exchange
from harness.verdict.mapping import mapping
from suites.unit.verdict.clean import (
    changed,
    clean,
    counted,
    edited,
    frozen,
    sockets_changed,
    without,
)

MIB = 2**20


def judged(entries: list[Entry]):
    return mapping(Exchange(entries))


def place(found) -> tuple[str, str, int]:
    return found.node, found.nic, found.channel


@pytest.mark.parametrize("channels", [1, 4, 8])
def test_every_channel_on_its_nic_passes(channels: int) -> None:
    found = judged(clean(channels=channels))
    assert (found.outcome, found.evidence) == ("PASS", ())
    assert found.checked == 2 * channels * 6  # sources of each end
    assert f"saw {2 * channels} of {2 * channels} ends" in found.fact


@pytest.mark.parametrize("field", ["bound_device", "nic"])
@pytest.mark.parametrize(("role", "node"), [("server", "alpha"), ("client", "beta")])
def test_a_socket_on_another_nic_is_named(field: str, role: str, node: str) -> None:
    found = judged(sockets_changed(clean(), role, 2, **{field: "eth1"}))
    assert (found.outcome, found.klass) == ("FAIL", "MAPPING")
    assert place(found) == (node, "eth3", 2)
    assert found.fact.startswith("expected eth3, ")
    assert "eth1" in found.fact
    assert found.at_s == pytest.approx(0.4)  # when the channel was mapped, not when it was read


def test_all_channels_on_one_nic_have_no_parallelism() -> None:
    entries = clean()
    for role in ("server", "client"):
        for channel in range(4):
            entries = sockets_changed(entries, role, channel, nic="eth1", bound_device="eth1")
    found = judged(entries)
    assert (found.klass, *place(found)) == ("MAPPING", "alpha", "eth2", 1)
    assert "all channels are on eth1: NO_PARALLELISM" in found.fact


def test_two_swapped_nics_are_both_listed() -> None:
    entries = clean()
    for channel, nic in ((0, "eth2"), (1, "eth1")):
        entries = sockets_changed(entries, "client", channel, nic=nic, bound_device=nic)
    found = judged(entries)
    assert (found.klass, *place(found)) == ("MAPPING", "beta", "eth1", 0)
    assert "beta channel 1: expected eth2, its socket is bound to eth1" in found.evidence


def test_a_role_that_says_otherwise_is_not_believed() -> None:
    where = {"role": "client", "channel": 3}
    found = judged(changed(clean(), ChannelMapped, where=where, nic="eth1"))
    assert (found.klass, *place(found)) == ("MAPPING", "beta", "eth4", 3)


def test_the_observer_outranks_a_role_whose_sockets_look_right() -> None:
    def move(record: SocketsSeen) -> SocketsSeen:
        sockets = tuple(
            replace(s, nic="eth1", bound_device="eth1") if s.nic == "eth2" else s
            for s in record.sockets
        )
        return replace(record, sockets=sockets)

    found = judged(edited(clean(), SocketsSeen, move, node="alpha"))
    assert (found.klass, *place(found)) == ("MAPPING", "alpha", "eth2", 1)
    assert "the observer saw it on eth1" in found.fact


def test_a_handle_that_names_another_address_is_caught() -> None:
    where = {"role": "server", "channel": 1}
    found = judged(changed(clean(), ChannelMapped, where=where, handle_address="198.18.1.1"))
    assert (found.klass, *place(found)) == ("MAPPING", "alpha", "eth2", 1)


def test_a_channel_connected_to_another_channels_end_is_caught() -> None:
    found = judged(sockets_changed(clean(), "client", 0, peer_port=21_003))
    assert (found.klass, found.channel) == ("MAPPING", 0)
    assert "connected to" in found.fact


@pytest.mark.parametrize(
    "fields",
    [
        {"nic": "lo"},
        {"bound_device": "lo"},
        {"local_address": "127.0.0.1", "peer_address": "127.0.0.1"},
        {"peer_address": "198.18.2.2"},
    ],
)
def test_a_channel_that_never_leaves_the_node_is_loopback(fields: dict[str, str]) -> None:
    found = judged(sockets_changed(clean(), "client", 1, **fields))
    assert (found.outcome, found.klass, *place(found)) == ("FAIL", "LOOPBACK", "beta", "lo", 1)


def test_two_roles_on_one_node_are_loopback() -> None:
    found = judged(changed(clean(), ExchangePlanned, client="alpha"))
    assert (found.klass, found.node, found.nic) == ("LOOPBACK", "alpha", "lo")


def test_a_nic_that_is_down_is_named() -> None:
    entries = counted(clean(), "beta", "eth2", phase="idle", up=-1)
    found = judged(without(entries, ChannelSockets))
    assert (found.outcome, found.klass, *place(found)) == ("FAIL", "LINK_DOWN", "beta", "eth2", 1)


def test_a_nic_that_no_channel_uses_may_be_down() -> None:
    assert judged(counted(clean(channels=2), "beta", "eth3", up=-1)).outcome == "PASS"


def test_a_planned_nic_that_the_node_lacks_is_the_inventorys_error() -> None:
    nics = {"server": ["eth1", "eth2", "eth9", "eth4"], "client": ["eth1", "eth2", "eth3", "eth4"]}
    found = judged(changed(clean(), ExchangePlanned, nics=nics))
    assert (found.outcome, found.klass, *place(found)) == ("ERROR", "INVENTORY", "alpha", "eth9", 2)
    assert "eth3" in found.fact


@pytest.mark.parametrize("kind", [ChannelSockets, ChannelMapped])
def test_a_channel_of_which_nothing_is_known_is_open(kind: type) -> None:
    what = {ChannelSockets: "sockets", ChannelMapped: "mapping"}[kind]
    found = judged(without(clean(), kind, role="client", channel=2))
    assert (found.outcome, found.klass, *place(found)) == (
        "INCONCLUSIVE",
        "NO_EVIDENCE",
        "beta",
        "eth3",
        2,
    )
    assert f"the channel's {what} on the client" in found.fact


def test_sockets_that_name_no_nic_prove_nothing() -> None:
    found = judged(sockets_changed(clean(), "server", 0, nic="", bound_device=""))
    assert (found.outcome, found.klass, found.channel) == ("INCONCLUSIVE", "NO_EVIDENCE", 0)


def test_a_node_without_an_observers_list_is_open() -> None:
    found = judged(without(clean(), SocketsSeen, node="beta"))
    assert (found.outcome, found.klass, found.node) == ("INCONCLUSIVE", "NO_EVIDENCE", "beta")


def test_a_channel_too_short_for_the_observer_is_said() -> None:
    found = judged(changed(clean(), SocketsSeen, where={"node": "beta"}, sockets=()))
    assert found.outcome == "PASS"
    assert "saw 4 of 8 ends" in found.fact
    assert "the observer of beta was too slow to see channel 0" in found.evidence


def test_one_percent_of_the_bytes_on_the_nic_is_not_a_mapping() -> None:
    """The bytes went over another NIC although every socket looks right."""
    moved = round(4 * MIB * 0.99)
    entries = counted(clean(), "beta", "eth3", bytes_sent=-moved, packets_sent=-60)
    found = judged(counted(entries, "beta", "eth1", bytes_sent=moved, packets_sent=60))
    assert (found.outcome, found.klass, *place(found)) == ("FAIL", "MAPPING", "beta", "eth3", 2)
    assert "eth1 carried" in found.fact


def test_bytes_that_no_nic_shows_break_the_mapping() -> None:
    found = judged(counted(clean(), "alpha", "eth4", bytes_recv=-3 * MIB))
    assert (found.klass, *place(found)) == ("MAPPING", "alpha", "eth4", 3)


def test_a_frozen_counter_is_open() -> None:
    found = judged(frozen(clean(), "alpha", "eth2"))
    assert (found.outcome, found.klass, *place(found)) == (
        "INCONCLUSIVE",
        "COUNTER",
        "alpha",
        "eth2",
        1,
    )


def test_a_counter_that_stood_still_while_another_nic_has_the_bytes_is_a_wrong_mapping() -> None:
    entries = frozen(clean(), "beta", "eth2")
    found = judged(counted(entries, "beta", "eth1", bytes_sent=4 * MIB, packets_sent=70))
    assert (found.outcome, found.klass, *place(found)) == ("FAIL", "MAPPING", "beta", "eth2", 1)


def test_a_counter_that_went_backwards_is_open() -> None:
    found = judged(counted(clean(), "beta", "eth1", bytes_sent=-6_000_000))
    assert (found.outcome, found.klass, *place(found)) == (
        "INCONCLUSIVE",
        "COUNTER",
        "beta",
        "eth1",
        0,
    )


def test_a_wrong_way_outranks_a_counter_that_says_nothing() -> None:
    entries = frozen(clean(), "alpha", "eth2")
    found = judged(counted(entries, "beta", "eth4", bytes_sent=-3 * MIB))
    assert (found.outcome, found.klass, *place(found)) == ("FAIL", "MAPPING", "beta", "eth4", 3)


def test_bytes_of_the_other_direction_are_not_the_missing_ones() -> None:
    entries = frozen(clean(), "beta", "eth2")
    found = judged(counted(entries, "beta", "eth1", bytes_recv=4 * MIB, packets_recv=70))
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "COUNTER")


def test_a_part_of_the_bytes_that_took_another_way_is_found_there() -> None:
    part = round(4 * MIB * 0.4)
    entries = counted(clean(), "beta", "eth3", bytes_sent=-part)
    found = judged(counted(entries, "beta", "eth1", bytes_sent=part))
    assert (found.klass, *place(found)) == ("MAPPING", "beta", "eth3", 2)
    assert "but eth1 carried" in found.fact


def test_what_was_sent_again_need_not_be_carried_twice() -> None:
    """A packet that the NIC's own queue dropped was never on the NIC."""
    again = sockets_changed(clean(), "client", 0, bytes_sent=5 * MIB + 152, bytes_retrans=MIB)
    assert judged(again).outcome == "PASS"


def test_one_side_alone_may_have_no_parallelism() -> None:
    entries = clean()
    for channel in range(4):
        entries = sockets_changed(entries, "client", channel, nic="eth1", bound_device="eth1")
    found = judged(entries)
    assert place(found) == ("beta", "eth2", 1)
    assert "NO_PARALLELISM" in found.fact
