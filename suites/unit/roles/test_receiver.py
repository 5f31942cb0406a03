"""A whole transfer over loopback: what the receiver says arrived is what was sent, to the byte."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from harness.errors import StallError
from harness.evidence import (
    ChannelDone,
    ChannelMapped,
    ChannelSockets,
    Damage,
    IterationDone,
    RoleReady,
)
from harness.plan import Fault, Plan
from harness.roles import mischief
from harness.roles.dealer import Dealer
from harness.roles.endpoint import Endpoint, nonce_of
from harness.roles.iterations import Iteration, Iterations
from harness.roles.receiver import Found, Receiver
from harness.roles.sender import Sender
from harness.tcpx import payload
from harness.tcpx.buffers import Buffers
from harness.tcpx.lane import Job, OnChunk
from harness.tcpx.net.sockets import Sockets
from suites.unit.roles.ends import PLAN, Heard, assignment, clean, exchange

pytestmark = pytest.mark.usefixtures("memory")


@pytest.mark.parametrize("channels", [1, 3])
def test_every_byte_and_word_is_verified(channels: int) -> None:
    plan = replace(PLAN, channels=channels, iterations=2)
    server, client = clean(plan)
    done = server.all(ChannelDone)
    assert [each.channel for each in done] == list(range(channels))
    for each in done:
        mine = range(each.channel, plan.chunks, channels)
        words = sum(payload.words(plan.chunk_size(chunk)) for chunk in mine)
        assert each.bytes == each.bytes_verified == 2 * plan.channel_bytes(each.channel)
        assert each.chunks == 2 * plan.channel_chunks(each.channel)
        assert each.words_verified == 2 * words
        assert 0 < each.started_s < each.ended_s
    sent = [(each.channel, each.bytes, each.chunks) for each in client.all(ChannelDone)]
    assert sent == [(each.channel, each.bytes, each.chunks) for each in done]
    assert server.all(Damage) == []


@pytest.mark.parametrize("channels", [1, 3])
def test_sockets_carried_payload_and_frames_and_no_more(channels: int) -> None:
    server, client = clean(replace(PLAN, channels=channels, sockets_per_channel=2))
    for done, seen in zip(client.all(ChannelDone), client.all(ChannelSockets), strict=True):
        assert len(seen.sockets) == 2
        assert {each.nic for each in seen.sockets} == {"lo"}
        acked = sum(each.bytes_acked for each in seen.sockets)
        assert 0 <= acked - done.bytes - done.frame_bytes <= 2 * len(seen.sockets)
    for done, seen in zip(server.all(ChannelDone), server.all(ChannelSockets), strict=True):
        received = sum(each.bytes_received for each in seen.sockets)
        assert 0 <= received - done.bytes - done.frame_bytes <= 2 * len(seen.sockets)


@pytest.mark.parametrize(
    "odd",
    [
        {"size_bytes": 1},
        {"size_bytes": 23},
        {"size_bytes": 4097, "chunk_bytes": 4096},
        {"size_bytes": 100_003, "chunk_bytes": 1009},
        {"registrations": 3},
        {"registrations": 64},
        {"recv_window": 1, "send_window": 1},
        {"iterations": 5},
        {"iterations": 3, "prepared": True},
        {"iterations": 3, "acknowledged": True},
        {"iterations": 4, "send_window": 2},
    ],
    ids=str,
)
def test_any_shape_arrives_whole(odd: dict[str, int]) -> None:
    plan = replace(PLAN, **odd)
    server, _ = clean(plan)
    assert sum(done.bytes_verified for done in server.all(ChannelDone)) == plan.total_bytes
    assert server.all(Damage) == []


DEALT = replace(PLAN, distribution="least-loaded")


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"size_bytes": 1, "iterations": 4},  # fewer chunks than channels, one under way
        {"channels": 1, "iterations": 3},
        {"chunk_bytes": 4096, "iterations": 3, "registrations": 3},
        {"iterations": 5, "prepared": True},
        {"iterations": 5, "recv_window": 1},
        {"iterations": 5, "sockets_per_channel": 2},
    ],
    ids=str,
)
def test_dealt_chunks_arrive_whole_and_on_the_channels_that_sent_them(odd: dict[str, int]) -> None:
    plan = replace(DEALT, **odd)
    server, client = clean(plan)
    received = [(done.channel, done.bytes, done.chunks) for done in server.all(ChannelDone)]
    sent = [(done.channel, done.bytes, done.chunks) for done in client.all(ChannelDone)]
    assert received == sent
    assert sum(done.bytes_verified for done in server.all(ChannelDone)) == plan.total_bytes
    assert sum(done.chunks for done in server.all(ChannelDone)) == plan.chunks * plan.iterations
    assert server.all(Damage) == []
    for voice in (server, client):
        done = voice.all(IterationDone)
        assert [each.iteration for each in done] == list(range(plan.iterations))
        assert {(each.bytes, each.chunks) for each in done} == {(plan.size_bytes, plan.chunks)}


def deal_chunk_5_to(channel: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other channel has nothing to draw until chunk 5 is drawn."""
    right = Dealer._draw

    def draw(self: Dealer, asking: int) -> int | None:
        with self._changed:
            blocked = len(self._carriers) <= 5 and asking != channel
            if blocked:
                self._changed.wait_for(lambda: len(self._carriers) > 5, 5.0)
        return right(self, asking)

    monkeypatch.setattr(Dealer, "_draw", draw)


@pytest.mark.parametrize("channel", [0, 1])
def test_damage_names_the_channel_that_carried_the_chunk(
    channel: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its place chunk 5 is channel 2's."""
    deal_chunk_5_to(channel, monkeypatch)
    (found,) = damage(DEALT, kind="flip", chunk=5, value=1001)
    assert (found.kind, found.channel, found.chunk) == ("BITFLIP", channel, 5)


def test_the_source_of_damage_names_its_carrier_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunk 5's bytes are sent as chunk 3 as well; channel 1 carries both."""
    right = Endpoint.place

    def wrong(self: Endpoint, chunk: int) -> tuple[int, int]:
        return right(self, 5 if chunk == 3 and not self.is_recv else chunk)

    deal_chunk_5_to(1, monkeypatch)
    monkeypatch.setattr(Endpoint, "place", wrong)
    server, _ = clean(replace(DEALT, prepared=True))
    (found,) = server.all(Damage)
    assert (found.kind, found.chunk, found.channel) == ("DUPLICATE", 3, 1)
    assert (found.source_chunk, found.source_channel) == (5, 1)


def test_a_dealt_chunk_that_is_not_sent_stalls_the_channel_that_should_carry_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = Sockets.isend

    def lost(self: Sockets, comm: Any, *rest: Any) -> Any:
        if rest[-1] == 5:
            time.sleep(5.0)
        return right(self, comm, *rest)

    deal_chunk_5_to(1, monkeypatch)
    monkeypatch.setattr(Sockets, "isend", lost)
    server, client = exchange(replace(DEALT, deadline_s=1.0))
    assert isinstance(server.error, StallError)
    assert server.error.channel == 1
    assert isinstance(client.error, StallError)
    assert client.error.channel == 1


def test_iterations_are_told_by_both_in_order() -> None:
    plan = replace(PLAN, iterations=3)
    for voice in clean(plan):
        done = voice.all(IterationDone)
        assert [each.iteration for each in done] == [0, 1, 2]
        assert {(each.bytes, each.chunks) for each in done} == {(plan.size_bytes, plan.chunks)}
        assert all(each.started_s < each.ended_s for each in done)


def test_an_acknowledged_iteration_ends_before_the_next_begins() -> None:
    """Its time is from post to answer, with nothing else under way."""
    _, client = clean(replace(PLAN, iterations=3, acknowledged=True))
    done = client.all(IterationDone)
    assert all(a.ended_s <= b.started_s for a, b in itertools.pairwise(done))
    assert 0 < done[0].cpu_s <= done[1].cpu_s <= done[2].cpu_s


def test_both_say_who_they_are_and_what_they_use() -> None:
    for voice in clean(PLAN):
        (ready,) = voice.all(RoleReady)
        assert (ready.role, ready.nonce) == (voice.role, "5eed")
        mapped = voice.all(ChannelMapped)
        assert [(each.channel, each.nic) for each in mapped] == [(0, "lo"), (1, "lo"), (2, "lo")]
        assert {each.handle_address for each in mapped} == {"127.0.0.1"}
        assert any(line.startswith("[PERF] Avg (1 iter): ") for line in voice.lines)


class Alone:
    """A member with channel 0, and what it tells."""

    channels = range(1)

    def __init__(self) -> None:
        self.told: list[object] = []

    def tell(self, thing: object) -> None:
        self.told.append(thing)

    def turn(self) -> None:
        """Nothing is answered here."""


class Passive:
    """Stands in for a session, so that a test can decide what arrives."""

    def create_transfer(self, name: str, on_chunk: OnChunk, **options: object) -> None:
        self.on_chunk = on_chunk


@pytest.mark.parametrize("prepared", [False, True])
def test_the_previous_iterations_words_cannot_pass_for_the_next_ones(prepared: bool) -> None:
    plan = Plan(size_bytes=800, chunk_bytes=800, channels=1, iterations=2, prepared=prepared)
    session, member = Passive(), Alone()
    endpoint = Endpoint(assignment(plan, "server"), Heard("server"))
    endpoint.session = session  # type: ignore[assignment]
    Receiver(endpoint, member)
    job = Job(chunk=0, mem_id=1, offset=0, size_bytes=800, tag=0)
    nonce = nonce_of(endpoint.assignment)
    endpoint.buffers.fill(endpoint.buffer, nonce, payload.Place(0, 0, 0))
    session.on_chunk(0, job, None)
    session.on_chunk(0, job._replace(tag=1), None)  # and nothing was received
    right, found, wrong = member.told
    assert isinstance(right, Iteration)
    assert right.number == 0
    assert isinstance(found, Found)
    assert found.iteration == 1
    assert (found.finding.kind, found.finding.words_wrong) == ("MISSING", 100)
    assert isinstance(wrong, Iteration)
    assert wrong.number == 1


def damage(plan: Plan, **fault: int | str) -> list[Damage]:
    """What the server says of a transfer with that fault planted; both roles end with 0."""
    server, _ = clean(replace(plan, faults=(Fault(**fault),)))
    verified = sum(done.bytes_verified for done in server.all(ChannelDone))
    assert verified < plan.total_bytes, "what is damaged is not verified"
    return server.all(Damage)


def test_a_flipped_byte_is_found_in_its_place() -> None:
    (found,) = damage(PLAN, kind="flip", chunk=5, value=1001)
    assert (found.kind, found.channel, found.chunk, found.iteration) == ("BITFLIP", 2, 5, 0)
    assert (found.words_wrong, found.first_word, found.last_word) == (1, 125, 125)


def test_swapped_chunks_are_found_both() -> None:
    found = damage(PLAN, kind="swap", chunk=2, value=7)
    assert [(each.chunk, each.kind, each.source_chunk) for each in found] == [
        (2, "SWAP", 7),
        (7, "SWAP", 2),
    ]


def test_the_previous_iterations_data_is_found() -> None:
    (found,) = damage(replace(PLAN, iterations=2), kind="stale", iteration=1, chunk=4)
    assert (found.kind, found.iteration, found.chunk) == ("STALE", 1, 4)
    assert (found.source_iteration, found.source_chunk) == (0, 4)


def test_a_chunk_that_never_reached_its_place_is_missing() -> None:
    (found,) = damage(PLAN, kind="drop", chunk=10)
    assert (found.kind, found.channel, found.chunk) == ("MISSING", 1, 10)


@pytest.mark.parametrize("kind", ["blind", "raw"])
def test_who_looks_at_nothing_claims_bytes_and_verifies_none(kind: str) -> None:
    server, _ = clean(replace(PLAN, faults=(Fault(kind=kind),)))
    done = server.all(ChannelDone)
    assert sum(each.bytes for each in done) == PLAN.total_bytes
    assert [(each.bytes_verified, each.words_verified) for each in done] == [(0, 0)] * 3


def test_a_short_server_claims_what_it_never_saw() -> None:
    short = Fault(kind="short", value=4)
    server, _ = exchange(replace(PLAN, deadline_s=1.0, faults=(short,)))
    done = server.voice.all(ChannelDone)
    assert server.status == 0
    assert sum(each.bytes for each in done) == PLAN.total_bytes
    assert sum(each.bytes_verified for each in done) == 4 * PLAN.chunk_bytes


def test_a_withheld_chunk_stalls_its_channel_and_no_other() -> None:
    plan = replace(PLAN, deadline_s=1.0, faults=(Fault(kind="withhold", chunk=10),))
    server, _ = exchange(plan)
    assert isinstance(server.error, StallError)
    assert server.error.channel == 1
    assert "channels 0" not in str(server.error)
    assert server.voice.all(IterationDone) == []


def test_a_server_that_fails_at_the_end_has_claimed_success() -> None:
    server, client = exchange(replace(PLAN, faults=(Fault(kind="exit", value=3),)))
    assert (server.status, client.status) == (3, 0)
    assert server.voice.lines[-1] == "[PERF] Benchmark completed successfully"


def test_a_chunk_in_another_chunks_place_is_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver looks where the plan says, not where it unpacked."""
    right = Endpoint.place

    def wrong(self: Endpoint, chunk: int) -> tuple[int, int]:
        return right(self, {3: 5, 5: 3}.get(chunk, chunk) if self.is_recv else chunk)

    monkeypatch.setattr(Endpoint, "place", wrong)
    server, _ = clean(PLAN)
    assert {found.chunk for found in server.all(Damage)} >= {3, 5}


def test_a_chunk_that_is_overwritten_after_it_was_right_is_damage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = Receiver._arrived

    def clumsy(self: Receiver, channel: int, job: Job, view: Any) -> None:
        right(self, channel, job, view)
        if job.chunk == 6:
            self.endpoint.buffers.flip(self.endpoint.buffer, 0, 1)

    monkeypatch.setattr(Receiver, "_arrived", clumsy)
    server, _ = clean(replace(PLAN, iterations=1))
    assert [(found.kind, found.chunk) for found in server.all(Damage)] == [("BITFLIP", 0)]


SMALL = replace(PLAN, chunk_bytes=4096, size_bytes=64 * 4096, channels=2, deadline_s=5.0)


def test_an_earlier_iterations_words_do_not_hide_a_chunk_that_went_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A prepared payload is the same in all iterations, so its place looks right."""
    plan, right = replace(SMALL, iterations=4, prepared=True), Iterations.jobs

    def astray(self: Iterations, numbers: range, places: list[Job]) -> Iterator[Job]:
        offsets = {job.chunk: job.offset for job in places}
        for job in right(self, numbers, places):
            strays = job.tag == plan.chunks + 2 and "server" in threads()
            yield job._replace(offset=offsets[4]) if strays else job

    def threads() -> str:
        return "server" if threading.current_thread().name.endswith("recv") else "client"

    monkeypatch.setattr(Iterations, "jobs", astray)
    server, _ = exchange(plan)
    found = [(d.kind, d.iteration, d.chunk) for d in server.voice.all(Damage)]
    assert ("MISSING", 1, 2) in found


@pytest.mark.parametrize("missing", [3, 2000])
def test_a_chunk_that_comes_short_is_truncated_in_every_iteration(
    monkeypatch: pytest.MonkeyPatch, missing: int
) -> None:
    right = Sender._places

    def short(self: Sender, chunks: range) -> list[Job]:
        cut = {5: missing}
        jobs = right(self, chunks)
        return [job._replace(size_bytes=job.size_bytes - cut.get(job.chunk, 0)) for job in jobs]

    monkeypatch.setattr(Sender, "_places", short)
    server, _ = exchange(replace(SMALL, iterations=3))
    found = [(d.kind, d.iteration, d.chunk) for d in server.voice.all(Damage)]
    assert found == [("TRUNCATED", number, 5) for number in range(3)]


def test_damage_of_one_iteration_is_seen_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fault is planted, so nothing is looked at twice."""
    right = mischief.fill

    def flipped(plan: Plan, buffers: Buffers, view: Any, *place: int) -> None:
        right(plan, buffers, view, *place)
        if place[1:] == (1, 7):
            buffers.flip(view, 100, 0x10)

    monkeypatch.setattr(mischief, "fill", flipped)
    server, _ = exchange(replace(SMALL, iterations=3))
    found = [(d.kind, d.iteration, d.chunk) for d in server.voice.all(Damage)]
    assert found == [("BITFLIP", 1, 7)]
