"""Every planned NIC carried its share of a program's connections; what it says must agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.evidence import ChannelMapped, ProgramSockets, SocketSeen
from harness.plan import MIB
from harness.verdict.exchange import Exchange
from harness.verdict.program.mapping import mapping
from suites.unit.verdict.clean import counted, edited, frozen, without
from suites.unit.verdict.program.ran import also, mapped, on_one_nic, ran, say, socketed

LINE = "Channel 1 -> netDev 1 (eth2, score=-1000)"


def judged(entries: list[Any]) -> Any:
    return mapping(Exchange(entries))


def test_a_clean_one_passes_on_its_connections() -> None:
    verdict = judged(ran())
    assert verdict.outcome == "PASS"
    assert verdict.checked == 16  # 8 ends said, 8 NICs looked at
    assert "4 channels on 4 NICs" in verdict.fact


def test_one_nic_for_four_channels_is_no_parallelism() -> None:
    verdict = judged(on_one_nic(ran()))
    assert (verdict.outcome, verdict.klass) == ("FAIL", "MAPPING")
    assert (verdict.node, verdict.nic, verdict.channel) == ("alpha", "eth2", 1)
    assert "all channels are on eth1: NO_PARALLELISM" in verdict.fact


def test_the_lie_stands_beside_what_was_seen() -> None:
    """It names four NICs and its connections are on one."""
    evidence = judged(on_one_nic(ran())).evidence
    assert "the server says: channel 1 on eth2" in evidence
    assert any(line.startswith("alpha/eth1: its connections carried 134,") for line in evidence)


def test_two_nics_for_four_channels_are_named() -> None:
    entries = socketed(
        ran(),
        "client",
        lambda i, s: replace(s, nic=f"eth{i % 2 + 1}", bound_device=f"eth{i % 2 + 1}"),
    )
    verdict = judged(entries)
    assert (verdict.klass, verdict.node, verdict.nic) == ("MAPPING", "beta", "eth3")
    assert verdict.fact.endswith("they are on eth1 with 50.0%, eth2 with 50.0%")


@pytest.mark.parametrize(("channels", "astray"), [(8, 1), (16, 1), (16, 2)])
def test_one_channel_of_many_on_another_planned_nic_is_named(channels: int, astray: int) -> None:
    """The NIC that lacks it still carries half of what it should, or more."""
    ours = range(1, 1 + 4 * astray, 4)  # some of eth2's
    entries = without(ran(channels=channels), ChannelMapped)
    for role in ("server", "client"):
        entries = socketed(
            entries,
            role,
            lambda i, s: replace(s, nic="eth1", bound_device="eth1") if i in ours else s,
        )
    verdict = judged(entries)
    assert (verdict.outcome, verdict.klass) == ("FAIL", "MAPPING")
    assert (verdict.node, verdict.nic, verdict.channel) == ("alpha", "eth2", 1)
    more = astray / channels
    assert f"expected 25.0% of the bytes on eth2, its connections carried {0.25 - more:.1%}" in (
        verdict.fact
    )
    assert f"on eth1 with {0.25 + more:.1%}, eth2" in verdict.fact


def test_a_planned_nic_with_a_channel_too_much_is_named_where_none_lacks_one() -> None:
    """A connection more than planned, on eth3: the others' shares are only a little less."""

    def doubled(record: ProgramSockets) -> ProgramSockets:
        return replace(record, own=(*record.own, replace(record.own[2], local_port=1, peer_port=1)))

    entries = ran()
    for role in ("server", "client"):
        entries = edited(entries, ProgramSockets, doubled, role=role)
    verdict = judged(entries)
    assert (verdict.klass, verdict.node, verdict.nic) == ("MAPPING", "alpha", "eth3")
    assert "expected 25.0% of the bytes on eth3, its connections carried 40.0%" in verdict.fact


def test_less_than_half_a_channel_beside_its_share_passes() -> None:
    """Framing, control and chunks that do not divide evenly are no other mapping."""
    shares = (1.3, 0.7, 1.0, 1.0)
    entries = ran()
    for role, node in (("server", "alpha"), ("client", "beta")):
        entries = socketed(entries, role, lambda i, s: _scaled(s, shares[i]))
        more = 10 * MIB  # of eth1's 32 MiB
        entries = counted(entries, node, "eth1", bytes_sent=more, bytes_recv=more)
    assert judged(entries).outcome == "PASS"


@pytest.mark.parametrize("silent", [(2,), (2, 3), (0, 1, 2)])
def test_what_was_never_sent_is_no_other_mapping(silent: tuple[int, ...]) -> None:
    """Delivery tells of it; the NICs of the others have no more than they should."""
    entries = ran(channels=8)
    for role in ("server", "client"):
        entries = socketed(entries, role, lambda i, s: _scaled(s, 0.2 if i in silent else 1.0))
    assert judged(entries).outcome == "PASS"


def _scaled(socket: SocketSeen, share: float) -> SocketSeen:
    sent, received = round(socket.bytes_sent * share), round(socket.bytes_received * share)
    return replace(socket, bytes_sent=sent, bytes_received=received)


def test_a_nic_that_nobody_planned_is_named() -> None:
    entries = socketed(
        ran(), "client", lambda i, s: replace(s, nic="eth0", bound_device="eth0") if i == 3 else s
    )
    verdict = judged(entries)
    assert (verdict.klass, verdict.node) == ("MAPPING", "beta")
    assert "eth0" in verdict.fact


def test_a_rail_beyond_the_plans_is_nobodys() -> None:
    """Two channels were planned; a third connection on the third rail carried as much."""
    entries = ran(channels=2)
    for role in ("server", "client"):
        entries = edited(
            entries, ProgramSockets, lambda r: replace(r, own=(*r.own, _third(r))), role=role
        )
    verdict = judged(entries)
    assert (verdict.klass, verdict.node) == ("MAPPING", "alpha")
    assert verdict.fact.endswith("is on eth3")


def _third(record: ProgramSockets) -> SocketSeen:
    first = record.own[0]
    server = record.role == "server"
    local, peer = ("198.18.3.1", "198.18.3.2") if server else ("198.18.3.2", "198.18.3.1")
    return replace(first, nic="eth3", bound_device="eth3", local_address=local, peer_address=peer)


def test_what_the_program_says_must_be_the_plan_too() -> None:
    verdict = judged(mapped(ran(), "server", 2, "eth1"))
    assert (verdict.klass, verdict.nic, verdict.channel) == ("MAPPING", "eth3", 2)
    assert verdict.fact == "expected eth3, the server says eth1"


def test_a_nic_with_no_common_root_is_a_fallback() -> None:
    verdict = judged(also(ran(), say("server", "nic_score", -1000, LINE, channel=1)))
    assert (verdict.klass, verdict.nic, verdict.channel) == ("MAPPING", "eth2", 1)
    assert "score -1000" in verdict.fact


def test_a_near_nic_is_none() -> None:
    assert judged(also(ran(), say("server", "nic_score", 296, channel=1))).outcome == "PASS"


def test_a_connection_that_the_kernel_does_not_know_is_a_lie() -> None:
    line = "198.18.1.2:50000 to 198.18.9.9:21000"
    verdict = judged(also(ran(), say("client", "connected", 1, line, channel=0)))
    assert (verdict.klass, verdict.node, verdict.nic) == ("MAPPING", "beta", "eth1")
    assert "the kernel knows of no such one" in verdict.fact


def test_a_connection_on_another_channels_nic_is_a_lie_too() -> None:
    line = "198.18.2.2:50001 to 198.18.2.1:21001"
    assert judged(also(ran(), say("client", "connected", 1, line, channel=1))).outcome == "PASS"
    verdict = judged(also(ran(), say("client", "connected", 1, line, channel=0)))
    assert "the kernel has it on eth2" in verdict.fact


def test_a_loopback_is_named() -> None:
    entries = socketed(
        ran(),
        "client",
        lambda i, s: replace(s, nic="lo", bound_device="", local_address="127.0.0.1"),
    )
    assert judged(entries).klass == "LOOPBACK"


def test_a_counter_that_stood_still_proves_nothing() -> None:
    verdict = judged(frozen(ran(), "alpha", "eth2"))
    assert (verdict.outcome, verdict.klass, verdict.nic) == ("INCONCLUSIVE", "COUNTER", "eth2")


def test_unseen_sockets_are_no_pass() -> None:
    for role in ("server", "client"):
        verdict = judged(without(ran(), ProgramSockets, role=role))
        assert (verdict.outcome, verdict.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")
