"""Dealt chunks: a channel's figures are held to the other role's, their sum to the plan's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import ChannelDone, Entry, IterationDone, Judged
from harness.plan import KIB, MIB
from harness.verdict import judge
from harness.verdict.delivery import delivery
from harness.verdict.exchange import Exchange
from harness.verdict.integrity import integrity
from harness.verdict.ledger import ALL, lines
from suites.unit.verdict.clean import changed, clean, edited, without

CHUNK = 512 * KIB


def dealt() -> list[Entry]:
    return clean(distribution="least-loaded")


def judged(entries: list[Entry]) -> Judged:
    return delivery(Exchange(entries))


def more(entries: list[Entry], role: str, channel: int, **by: int) -> list[Entry]:
    """A role claims more (or less) on a channel than it moved."""

    def claim(done: ChannelDone) -> ChannelDone:
        return replace(done, **{name: getattr(done, name) + count for name, count in by.items()})

    return edited(entries, ChannelDone, claim, role=role, channel=channel)


def test_an_uneven_spread_is_whole() -> None:
    seen = Exchange(dealt())
    assert [seen.channel_bytes(c) // CHUNK for c in range(4)] == [11, 8, 5, 8]
    found = delivery(seen)
    of_channels, sums, of_iterations = 4 * 5, 4, 2 * 2
    assert (found.outcome, found.checked) == ("PASS", of_channels + sums + of_iterations)
    assert all(one.outcome == "PASS" for one in judge(dealt()))


def test_the_same_spread_is_none_of_round_robins() -> None:
    round_robin = Exchange(clean())
    assert [round_robin.channel_bytes(c) for c in range(4)] == [4 * MIB] * 4
    assert not [line for line in lines(round_robin) if line.channel == ALL or line.by != "plan"]


@pytest.mark.parametrize("role", ["server", "client"])
@pytest.mark.parametrize("what", ["bytes", "chunks"])
@pytest.mark.parametrize("by", [1, -1])
def test_the_role_whose_sum_is_off_is_named_with_the_channel(role: str, what: str, by: int) -> None:
    found = judged(more(dealt(), role, 1, **{what: by}))
    assert (found.outcome, found.klass, found.channel) == ("FAIL", "LEDGER", 1)
    assert (found.node, found.nic) == ({"server": "alpha", "client": "beta"}[role], "eth2")
    assert f"{what}, the {'client' if role == 'server' else 'server'} " in found.fact


def test_a_server_that_claims_on_a_channel_what_was_sent_on_another_is_named() -> None:
    moved = {"bytes": CHUNK, "chunks": 1, "bytes_verified": CHUNK}
    entries = more(dealt(), "server", 2, **{name: -by for name, by in moved.items()})
    found = judged(more(entries, "server", 3, **moved))
    assert (found.klass, found.node, found.nic, found.channel) == ("LEDGER", "alpha", "eth3", 2)
    assert "the server has 4 chunks, the client 5" in found.fact


def test_bytes_on_a_channel_that_the_client_never_used_are_named() -> None:
    nothing = {"bytes": 0, "chunks": 0}
    entries = changed(dealt(), ChannelDone, where={"role": "client", "channel": 3}, **nothing)
    entries = more(entries, "client", 0, bytes=8 * CHUNK, chunks=8)
    found = judged(entries)
    assert (found.klass, found.node, found.channel) == ("LEDGER", "alpha", 0)
    assert "the server has 11 chunks, the client 19" in found.fact
    assert any("server channel 3: 4,194,304 bytes" in line for line in found.evidence)


def test_what_both_lost_is_missing_in_the_sum() -> None:
    lost = {"bytes": -CHUNK, "chunks": -1}
    entries = more(dealt(), "server", 1, **lost, bytes_verified=-CHUNK)
    found = judged(more(entries, "client", 1, **lost))
    assert (found.klass, found.node, found.nic, found.channel) == ("LEDGER", "alpha", "", ALL)
    assert "31 chunks on all channels, the plan 32" in found.fact


def test_what_the_client_sent_is_verified_to_the_byte() -> None:
    found = judged(more(dealt(), "server", 2, bytes_verified=-1))
    assert (found.klass, found.node, found.channel) == ("LEDGER", "alpha", 2)
    assert "bytes verified, the client" in found.fact


def test_a_chunk_missing_of_an_iteration_is_named_although_the_sum_is_right() -> None:
    found = judged(changed(dealt(), IterationDone, where={"role": "server"}, chunks=31))
    assert (found.klass, found.node) == ("LEDGER", "alpha")
    assert "iteration 1 of 1" in found.fact


@pytest.mark.parametrize("role", ["server", "client"])
def test_a_role_that_is_silent_on_a_channel_proves_nothing(role: str) -> None:
    found = judged(without(dealt(), ChannelDone, role=role, channel=2))
    assert (found.outcome, found.channel) != ("PASS", -1)
    assert found.outcome in ("FAIL", "INCONCLUSIVE")


def test_no_words_on_a_channel_that_the_client_used_are_unverified() -> None:
    where = {"role": "server", "channel": 2}
    found = integrity(Exchange(changed(dealt(), ChannelDone, where=where, words_verified=0)))
    assert (found.klass, found.nic, found.channel) == ("UNVERIFIED", "eth3", 2)
    assert f"{5 * CHUNK:,} bytes" in found.fact


def test_both_claiming_what_the_sockets_did_not_carry_is_caught_by_the_sockets() -> None:
    """The two agree and the sum is right: TCP's own count is the third witness."""
    entries = dealt()
    for each in ("server", "client"):
        verified = {"bytes_verified": CHUNK} if each == "server" else {}
        entries = more(entries, each, 1, bytes=CHUNK, chunks=1, **verified)
        verified = {name: -by for name, by in verified.items()}
        entries = more(entries, each, 3, bytes=-CHUNK, chunks=-1, **verified)
    assert judged(entries).outcome == "PASS"
    (found,) = (one for one in judge(entries) if one.claim == "sockets")
    assert (found.outcome, found.klass, found.channel) == ("FAIL", "LEDGER", 1)
