"""The sockets' arithmetic, to the byte, on both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import ChannelDone, ChannelSockets, Entry
from harness.verdict.exchange import Exchange
from harness.verdict.sockets import sockets
from suites.unit.verdict.clean import changed, clean, edited, sockets_changed, without

CARRIED = 4 * 2**20 + 16 * 8 + 24  # payload, a header a chunk, a hello


def judged(entries: list[Entry]):
    return sockets(Exchange(entries))


def test_exact_sockets_pass() -> None:
    found = judged(clean())
    assert (found.outcome, found.checked) == ("PASS", 12)


@pytest.mark.parametrize("off", [-1, 1])
def test_a_sender_one_byte_off_is_named(off: int) -> None:
    found = judged(sockets_changed(clean(), "client", 2, bytes_sent=CARRIED + off))
    assert (found.outcome, found.klass) == ("FAIL", "LEDGER")
    assert (found.node, found.nic, found.channel) == ("beta", "eth3", 2)
    assert f"sent {CARRIED + off:,} bytes" in found.fact


def test_what_was_sent_again_is_not_counted_twice() -> None:
    again = sockets_changed(clean(), "client", 2, bytes_sent=CARRIED + 9000, bytes_retrans=9000)
    assert judged(again).outcome == "PASS"


@pytest.mark.parametrize(("received", "outcome"), [(-1, "FAIL"), (2, "PASS"), (3, "FAIL")])
def test_a_receiver_may_count_syn_and_fin_and_nothing_else(received: int, outcome: str) -> None:
    found = judged(sockets_changed(clean(), "server", 1, bytes_received=CARRIED + received))
    assert found.outcome == outcome
    if outcome == "FAIL":
        assert (found.klass, found.node, found.channel) == ("LEDGER", "alpha", 1)


@pytest.mark.parametrize(("acked", "outcome"), [(-9000, "PASS"), (2, "PASS"), (3, "FAIL")])
def test_more_acknowledged_than_sent_is_caught(acked: int, outcome: str) -> None:
    found = judged(sockets_changed(clean(), "client", 1, bytes_acked=CARRIED + acked))
    assert found.outcome == outcome


def test_headers_that_the_role_does_not_account_for_are_caught() -> None:
    where = {"role": "client", "channel": 0}
    found = judged(changed(clean(), ChannelDone, where=where, frame_bytes=0))
    assert (found.klass, found.node, found.nic, found.channel) == ("LEDGER", "beta", "eth1", 0)


@pytest.mark.parametrize("kind", [ChannelSockets, ChannelDone])
def test_a_channel_that_told_nothing_is_open(kind: type) -> None:
    found = judged(without(clean(), kind, role="server", channel=3))
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")
    assert (found.node, found.nic, found.channel) == ("alpha", "eth4", 3)


def test_an_empty_list_of_sockets_is_no_evidence() -> None:
    where = {"role": "client", "channel": 3}
    found = judged(changed(clean(), ChannelSockets, where=where, sockets=()))
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")


@pytest.mark.parametrize(("received", "outcome"), [(4, "PASS"), (5, "FAIL")])
def test_each_socket_of_a_channel_has_its_own_syn_and_fin(received: int, outcome: str) -> None:
    def split(record: ChannelSockets) -> ChannelSockets:
        (whole,) = record.sockets
        first = replace(whole, bytes_received=1000)
        rest = replace(whole, bytes_received=CARRIED - 1000 + received)
        return replace(record, sockets=(first, rest))

    found = judged(edited(clean(), ChannelSockets, split, role="server", channel=1))
    assert found.outcome == outcome


# -- a plugin, whose frames only it knows -------------------------------------------------------


def plugins(entries: list[Entry]) -> list[Entry]:
    return changed(entries, ChannelDone, frame_bytes=-1)


def test_a_plugins_channels_carry_the_payload_and_a_little_more() -> None:
    found = judged(plugins(clean()))
    assert (found.outcome, found.checked) == ("PASS", 12)
    own = 2 * 4 * (CARRIED - 4 * 2**20)
    assert f"payload, and {own:,} of the plugin's own, the same at both ends" in found.fact


@pytest.mark.parametrize(
    ("carried", "outcome"),
    [(4 * 2**20 - 1, "FAIL"), (4 * 2**20, "PASS"), (4 * 2**20 + 9 * 256 + 1, "FAIL")],
)
def test_a_plugin_may_neither_lack_payload_nor_carry_much_beside_it(
    carried: int, outcome: str
) -> None:
    both = sockets_changed(plugins(clean()), "client", 2, bytes_sent=carried)
    found = judged(sockets_changed(both, "server", 2, bytes_received=carried))
    assert found.outcome == outcome
    if outcome == "FAIL":
        assert (found.klass, found.nic, found.channel) == ("LEDGER", "eth3", 2)
        assert f"carried {carried:,} bytes of 4,194,304 payload" in found.fact


@pytest.mark.parametrize(("more", "outcome"), [(2, "PASS"), (3, "FAIL")])
def test_both_ends_of_a_plugins_channel_carried_the_same(more: int, outcome: str) -> None:
    found = judged(sockets_changed(plugins(clean()), "server", 1, bytes_received=CARRIED + more))
    assert found.outcome == outcome
    if outcome == "FAIL":
        assert (found.klass, found.node, found.channel) == ("LEDGER", "alpha", 1)
        assert f"carried {CARRIED + 3:,} bytes, its peer's {CARRIED:,}" in found.fact
