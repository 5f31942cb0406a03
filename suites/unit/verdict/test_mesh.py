"""Exchanges that ran at once: each has its verdict, and their NICs' counters add up together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import (
    ChannelMapped,
    ChannelSockets,
    Entry,
    ExchangePlanned,
    Judged,
    RoleExited,
)
from harness.plan import TRANSFER_CLAIMS
from harness.verdict import cause, exchanges_of, headline, judge_exchange
from suites.unit.verdict.clean import (
    added,
    changed,
    clean,
    counted,
    sockets_changed,
    without,
)
from suites.unit.verdict.meshed import GPUS, mesh, name, nic, of, spoilt
from suites.unit.verdict.test_integrity import damage

CLAIMS = (*TRANSFER_CLAIMS, "fairness")


def verdicts(entries: list[Entry]) -> dict[int, tuple[Judged, ...]]:
    return {each.gpu: judge_exchange(each) for each in exchanges_of(entries)}


def reds(entries: list[Entry]) -> dict[int, set[str]]:
    """GPU -> the claims that do not hold, with their class."""
    found = {
        gpu: {f"{one.claim} {one.klass}" for one in judged if one.outcome != "PASS"}
        for gpu, judged in verdicts(entries).items()
    }
    return {gpu: claims for gpu, claims in found.items() if claims}


def test_every_exchange_of_a_clean_mesh_is_green_and_knows_its_gpu() -> None:
    found = verdicts(mesh(claims=CLAIMS))
    assert list(found) == list(range(GPUS))
    for gpu, judged in found.items():
        assert [(one.claim, one.outcome) for one in judged] == [(c, "PASS") for c in CLAIMS]
        assert {one.gpu for one in judged} == {gpu}


def test_alone_the_same_exchange_does_not_add_up() -> None:
    """What its mate on the NIC moved would be somebody else's."""
    entries = mesh()
    lone = [replace(entry, exchange=name(0)) for entry in entries if entry.exchange == "main-1"]
    (exchange,) = exchanges_of([*of(entries, 0), *lone])
    red = {one.claim: one.klass for one in judge_exchange(exchange) if one.outcome != "PASS"}
    assert red == {"traffic": "FOREIGN_LOAD", "quiet": "FOREIGN_LOAD"}


def test_an_exchange_by_itself_has_no_mates_and_names_no_gpu() -> None:
    (exchange,) = exchanges_of(clean())
    assert (exchange.mates, exchange.gpu) == ((exchange,), -1)
    assert exchange.together_bytes == exchange.plan.total_bytes


def test_all_exchanges_of_a_mesh_begin_at_the_same_time() -> None:
    entries = mesh()
    late = [replace(e, at_s=e.at_s + 0.004) if e.exchange == name(3) else e for e in entries]
    first, *_, last = exchanges_of(late)
    assert last.ended_s == pytest.approx(first.ended_s + 0.004)


def test_damage_on_one_gpu_is_that_gpus_alone() -> None:
    entries = spoilt(mesh(), 2, lambda own: added(own, damage(), 1.2))
    assert reds(entries).keys() == {2}
    found = cause([one for judged in verdicts(entries).values() for one in judged])
    assert headline(found).startswith("BITFLIP alpha/gpu 2/eth2/channel ")


def test_a_channel_on_the_wrong_nic_is_its_gpus_and_the_nics_still_add_up() -> None:
    """GPU 3's channel 1 is on eth1, and eth1's counter has its bytes."""
    entries = mesh()
    own = of(entries, 3)
    for role in ("server", "client"):
        own = sockets_changed(own, role, 1, nic="eth1", bound_device="eth1")
        own = changed(own, ChannelMapped, where={"role": role, "channel": 1}, nic="eth1")
    entries = spoilt(entries, 3, lambda _: own)
    moved = {"bytes": 2 * 2**20 + 4 * 16 + 24 + 3 * 66, "packets": 3}
    acks = {"bytes": 3 * 66, "packets": 3}
    for node, sent, received in (("beta", moved, acks), ("alpha", acks, moved)):
        more = {f"{kind}_sent": count for kind, count in sent.items()}
        more |= {f"{kind}_recv": count for kind, count in received.items()}
        entries = counted(entries, node, "eth1", **more)
        entries = counted(entries, node, "eth2", **{n: -count for n, count in more.items()})
    assert reds(entries) == {3: {"mapping MAPPING"}}
    (red,) = [one for one in verdicts(entries)[3] if one.outcome != "PASS"]
    assert headline(red).startswith("MAPPING alpha/gpu 3/eth2/channel 1: expected eth2, ")


def test_a_gpu_that_claims_what_its_nic_never_carried_is_red_with_its_mate() -> None:
    """GPU 0's sockets are said to have carried all, and eth1 counted GPU 1's alone."""
    entries = mesh()
    total = 4 * 2**20 + 8 * 16 + 2 * 24
    for node, field in (("alpha", "bytes_recv"), ("beta", "bytes_sent")):
        entries = counted(entries, node, "eth1", **{field: -total})
    found = reds(entries)
    assert found.keys() == {0, 1}, "nobody can tell which of the two"
    assert all("traffic TRAFFIC" in claims for claims in found.values())
    assert all("mapping MAPPING" in claims for claims in found.values())


def test_one_gpu_cannot_prove_itself_with_anothers_sockets() -> None:
    entries = mesh()
    theirs = {
        (e.record.role, e.record.channel): e.record.sockets
        for e in of(entries, 0)
        if isinstance(e.record, ChannelSockets)
    }

    def borrow(own: list[Entry]) -> list[Entry]:
        for (role, channel), sockets in theirs.items():
            where = {"role": role, "channel": channel}
            own = changed(own, ChannelSockets, where=where, sockets=sockets)
        return own

    found = verdicts(spoilt(entries, 1, borrow))
    (red,) = [one for one in found[1] if one.claim == "sockets"]
    assert red.klass == "LEDGER"
    assert "is channel 0 of GPU 0's as well" in red.fact


def test_a_silent_mate_leaves_the_traffic_of_its_nic_open_and_no_other() -> None:
    """GPU 2 died: what eth2 carried for it is neither GPU 3's nor a stranger's."""

    def die(own: list[Entry]) -> list[Entry]:
        own = without(own, ChannelSockets)
        return changed(own, RoleExited, where={"role": "server"}, code=-9, reason="killed")

    entries = spoilt(mesh(), 2, die)
    found = reds(entries)
    assert found.keys() == {2, 3}
    assert found[3] == {"traffic NO_EVIDENCE"}
    (red,) = [one for one in verdicts(entries)[3] if one.outcome != "PASS"]
    assert "may be of GPU 2, whose sockets nobody told" in red.fact


def test_a_silent_mate_leaves_the_shares_of_the_others_open() -> None:
    """GPU 2 died before it had sent anything: no other GPU is to blame for what eth2 lacks."""
    entries = spoilt(
        mesh(claims=("roles", "fairness")), 2, lambda own: without(own, ChannelSockets)
    )
    for node, field in (("alpha", "bytes_recv"), ("beta", "bytes_sent")):
        entries = counted(entries, node, "eth2", **{field: -(4 * 2**20)})
    found = reds(entries)
    assert {gpu: found[gpu] for gpu in (0, 1, 3)} == {
        gpu: {"fairness NO_EVIDENCE"} for gpu in (0, 1, 3)
    }
    assert found[2] == {"fairness FAIRNESS"}
    (red,) = [one for one in verdicts(entries)[0] if one.outcome != "PASS"]
    assert "GPU 2, whose sockets nobody told" in red.fact


def test_foreign_load_is_told_by_those_whose_nic_it_is() -> None:
    entries = counted(mesh(), "alpha", nic(0), bytes_recv=2**20, packets_recv=20)
    assert reds(entries) == {0: {"traffic FOREIGN_LOAD"}, 1: {"traffic FOREIGN_LOAD"}}


def test_every_nic_that_no_exchange_uses_stays_flat() -> None:
    entries = counted(mesh(), "beta", "eth3", bytes_sent=2 * 2**20, packets_sent=40)
    assert reds(entries) == {gpu: {"quiet STRAY"} for gpu in range(GPUS)}


def test_a_nic_without_its_share_is_told() -> None:
    """Every NIC's counter moves 2 MiB from eth2 to eth1: the shares are 3 to 1."""
    entries = mesh(claims=("roles", "fairness"))
    for name_, by in (("eth1", 2**21), ("eth2", -(2**21))):
        entries = counted(entries, "alpha", name_, bytes_recv=by)
    assert reds(entries) == {gpu: {"fairness FAIRNESS"} for gpu in range(GPUS)}


def test_a_mesh_that_was_cut_short_is_an_error_of_every_gpu() -> None:
    planned = [entry for entry in mesh() if isinstance(entry.record, ExchangePlanned)]
    found = verdicts(planned)
    assert list(found) == list(range(GPUS))
    assert {one.klass for judged in found.values() for one in judged} == {"INTERRUPTED"}
