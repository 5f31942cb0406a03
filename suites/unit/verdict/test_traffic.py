"""Counters against sockets: too little, too much, frozen, backwards, elsewhere."""

from __future__ import annotations

import pytest

from harness.evidence import ChannelSockets, Entry, NicCounters
from harness.verdict.exchange import Exchange
from harness.verdict.traffic import traffic
from suites.unit.verdict.clean import clean, counted, frozen, sockets_changed, without

MIB = 2**20


def judged(entries: list[Entry]):
    return traffic(Exchange(entries))


@pytest.mark.parametrize("plan", [{}, {"channels": 8}, {"channels": 1}, {"size_bytes": 1}])
def test_explained_counters_pass(plan: dict[str, int]) -> None:
    found = judged(clean(**plan))
    nics = min(plan.get("channels", 4), 4)
    assert (found.outcome, found.checked) == ("PASS", 2 * 2 * 2 * nics)


@pytest.mark.parametrize("field", ["bytes_sent", "bytes_recv"])
@pytest.mark.parametrize("node", ["alpha", "beta"])
def test_foreign_load_in_any_direction_is_open_with_its_share(node: str, field: str) -> None:
    found = judged(counted(clean(), node, "eth2", **{field: 3 * MIB}))
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "FOREIGN_LOAD")
    assert (found.node, found.nic, found.channel) == (node, "eth2", 1)
    assert "% is somebody else's" in found.fact


def test_a_little_more_than_the_sockets_is_within_the_slack() -> None:
    assert judged(counted(clean(), "beta", "eth2", bytes_sent=60_000)).outcome == "PASS"


def test_one_percent_too_little_is_named_with_its_nic() -> None:
    found = judged(counted(clean(), "beta", "eth3", bytes_sent=-4 * MIB // 100))
    assert (found.outcome, found.klass) == ("FAIL", "TRAFFIC")
    assert (found.node, found.nic, found.channel) == ("beta", "eth3", 2)


def test_bytes_that_took_another_way_point_to_it() -> None:
    entries = counted(clean(), "alpha", "eth3", bytes_recv=-3 * MIB)
    found = judged(counted(entries, "alpha", "eth1", bytes_recv=3 * MIB))
    assert (found.outcome, found.klass, found.nic) == ("FAIL", "TRAFFIC", "eth3")
    assert "eth1 carried" in found.fact


def test_what_was_sent_again_explains_more_bytes_on_both_ends() -> None:
    again = 2 * MIB
    entries = sockets_changed(
        clean(), "client", 0, bytes_sent=4 * MIB + 152 + again, bytes_retrans=again
    )
    entries = counted(entries, "beta", "eth1", bytes_sent=again)
    assert judged(counted(entries, "alpha", "eth1", bytes_recv=again)).outcome == "PASS"
    assert judged(counted(entries, "alpha", "eth2", bytes_recv=again)).klass == "FOREIGN_LOAD"


def test_what_came_after_the_end_of_its_socket_is_explained_by_who_sent_it() -> None:
    """A program may close with bytes still on their way; its NIC counts them, its socket not."""
    lost = 2 * MIB
    entries = sockets_changed(clean(), "server", 0, bytes_received=2 * MIB + 152)
    assert judged(entries).outcome == "PASS"
    more = counted(entries, "alpha", "eth1", bytes_recv=lost)
    assert judged(more).klass == "FOREIGN_LOAD"


def test_a_frozen_counter_is_open_and_the_peers_view_is_told() -> None:
    found = judged(frozen(clean(), "beta", "eth4"))
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "COUNTER")
    assert (found.node, found.nic, found.channel) == ("beta", "eth4", 3)
    assert "stood still, while alpha/eth4 received" in found.fact


def test_a_counter_that_went_backwards_is_open() -> None:
    found = judged(counted(clean(), "beta", "eth4", bytes_recv=-7_000_000))
    assert (found.outcome, found.klass, found.nic) == ("INCONCLUSIVE", "COUNTER", "eth4")
    assert "backwards" in found.fact


@pytest.mark.parametrize("phase", ["idle", "settled"])
def test_counters_without_a_baseline_or_an_end_are_open(phase: str) -> None:
    found = judged(without(clean(), NicCounters, node="alpha", phase=phase))
    assert (found.outcome, found.klass, found.node) == ("INCONCLUSIVE", "COUNTER", "alpha")


def test_channels_without_sockets_explain_nothing() -> None:
    found = judged(without(clean(), ChannelSockets, role="client", channel=0))
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")
    assert (found.node, found.nic, found.channel) == ("beta", "eth1", 0)


def test_a_socket_on_lo_is_on_no_nic() -> None:
    found = judged(sockets_changed(clean(), "server", 1, nic="lo", bound_device=""))
    assert (found.outcome, found.klass) == ("FAIL", "LOOPBACK")
    assert (found.node, found.nic, found.channel) == ("alpha", "lo", 1)


def test_a_wire_counts_a_header_for_every_segment() -> None:
    """At MTU 1500 the headers of 4 MiB are far beyond the slack, and the packets explain them."""
    more = {"packets_sent": 2900, "bytes_sent": 2900 * 66}
    assert judged(counted(clean(), "beta", "eth1", **more)).outcome == "PASS"
    assert judged(counted(clean(), "beta", "eth1", bytes_sent=2900 * 66)).klass == "FOREIGN_LOAD"


def test_packets_without_headers_are_too_little() -> None:
    found = judged(counted(clean(), "beta", "eth1", packets_sent=2900))
    assert (found.outcome, found.klass, found.nic) == ("FAIL", "TRAFFIC", "eth1")
