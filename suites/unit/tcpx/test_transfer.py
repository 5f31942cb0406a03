"""A transfer moves every byte to its place, and names the channel that does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from harness.errors import LocalProtocolError, PeerGoneError, RemoteProtocolError, StallError
from harness.plan import KIB, MIB, Plan
from harness.tcpx.lane import QUEUE_CHUNKS, Job
from harness.tcpx.payload import Checker, Place, fill, poison
from harness.tcpx.transfer import Transfer
from suites.unit.tcpx.ends import NONCE, PATIENCE_S, Ends, both, connected


class Exchange:
    """Sends a plan's payload from one end to the other and checks it as it arrives."""

    def __init__(self, ends: Ends, plan: Plan) -> None:
        self.plan, self.ends = plan, ends
        self.source, self.target = (np.empty(plan.size_bytes, np.uint8) for _ in range(2))
        self.iteration = 0
        self.findings: list[Any] = []
        self.checkers = [Checker(plan.chunk_bytes) for _ in range(plan.channels)]
        self.receiving = ends.server.create_transfer("client", self.check, deadline_s=PATIENCE_S)
        self.sending = ends.client.create_transfer("server", deadline_s=PATIENCE_S)
        self.recv_ids = self.register(self.target, is_recv=True)
        self.send_ids = self.register(self.source, is_recv=False)

    def register(self, buffer: Any, *, is_recv: bool) -> list[tuple[int, int]]:
        """mem_id and offset of each chunk, when the buffer is registered in pieces."""
        plan = self.plan
        step = -(-plan.chunks // plan.registrations) * plan.chunk_bytes
        session = self.ends.server if is_recv else self.ends.client
        pieces = [
            session.register_memory(buffer[at : at + step], is_recv=is_recv)
            for at in range(0, plan.size_bytes, step)
        ]
        starts = [chunk * plan.chunk_bytes for chunk in range(plan.chunks)]
        return [(pieces[start // step], start % step) for start in starts]

    def check(self, channel: int, job: Job, view: Any) -> None:
        assert (job.mem_id, job.offset) == self.recv_ids[job.chunk]
        place = Place(self.iteration, channel, job.chunk)
        finding = self.checkers[channel].check(view, NONCE, place)
        if finding is not None:
            self.findings.append(finding)

    def receive(self) -> None:
        for chunk, (mem_id, offset) in enumerate(self.recv_ids):
            self.receiving.post_recv(mem_id, offset, self.plan.chunk_size(chunk), chunk)
        self.receiving.wait()

    def send(self) -> None:
        for chunk, (mem_id, offset) in enumerate(self.send_ids):
            self.sending.post_send(mem_id, offset, self.plan.chunk_size(chunk), chunk)
        self.sending.wait()

    def run(self) -> None:
        plan = self.plan
        for self.iteration in range(plan.iterations):
            poison(self.target)
            for chunk in range(plan.chunks):
                start = chunk * plan.chunk_bytes
                piece = self.source[start : start + plan.chunk_size(chunk)]
                fill(piece, NONCE, Place(self.iteration, plan.channel_of(chunk), chunk))
            both(self.receive, self.send)
            assert np.array_equal(self.source, self.target)
        for transfer in (self.receiving, self.sending):
            transfer.release()


PLANS = {
    "one-byte": Plan(size_bytes=1),
    "23-bytes": Plan(size_bytes=23),
    "one-channel": Plan(channels=1, size_bytes=3 * MIB),
    "four-channels": Plan(size_bytes=8 * MIB),
    "eight-channels-of-two-sockets": Plan(channels=8, size_bytes=8 * MIB, sockets_per_channel=2),
    "an-odd-chunk-and-tail": Plan(size_bytes=3 * MIB + 12_345, chunk_bytes=100_003),
    "largest-chunk": Plan(size_bytes=17 * MIB, chunk_bytes=8 * MIB),
    "many-small-chunks": Plan(size_bytes=600_000, chunk_bytes=1000, channels=2),
    "three-iterations": Plan(size_bytes=3 * MIB, chunk_bytes=700_000, iterations=3, channels=3),
    "three-registrations": Plan(size_bytes=7 * MIB + 1, registrations=3),
    "windows-of-one": Plan(size_bytes=2 * MIB, chunk_bytes=64 * KIB, recv_window=1, send_window=1),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
def test_every_byte_arrives_and_is_accounted_for(plan: Plan) -> None:
    options = {
        "sockets_per_channel": plan.sockets_per_channel,
        "recv_window": plan.recv_window,
        "send_window": plan.send_window,
    }
    with connected(plan.channels, **options) as ends:
        exchange = Exchange(ends, plan)
        exchange.run()
        frames = {
            (transfer, channel): session.net.frame_bytes(session.manager.get_channel(channel).comm)
            for transfer, session in (
                (exchange.receiving, ends.server),
                (exchange.sending, ends.client),
            )
            for channel in range(plan.channels)
        }
    assert exchange.findings == []
    assert sum(checker.bytes for checker in exchange.checkers) == plan.total_bytes
    for transfer in (exchange.receiving, exchange.sending):
        assert transfer.completed_chunks == transfer.total_chunks == plan.chunks * plan.iterations
        for stats in transfer.channel_stats():
            chunks = plan.channel_chunks(stats.channel) * plan.iterations
            assert stats.chunks == chunks
            assert stats.payload_bytes == plan.channel_bytes(stats.channel) * plan.iterations
            assert stats.nic == "lo"
            if chunks:
                frames_sent = frames[transfer, stats.channel]
                assert frames_sent == 16 * (chunks + plan.sockets_per_channel)
                assert 0 < stats.first_s <= stats.last_s <= time.monotonic()


# -- posting -----------------------------------------------------------------------------------


@pytest.fixture
def ends() -> Iterator[Ends]:
    with connected(channels=2) as connected_ends:
        yield connected_ends


@pytest.fixture
def receiving(ends: Ends) -> Iterator[Transfer]:
    transfer = ends.server.create_transfer("client", deadline_s=0.3)
    yield transfer
    transfer.release()


def test_a_post_outside_the_buffer_is_refused(ends: Ends, receiving: Transfer) -> None:
    mem_id = ends.server.register_memory(bytearray(1000), is_recv=True)
    for offset, size in ((1, 1000), (-1, 5), (1001, 0), (0, -1)):
        with pytest.raises(LocalProtocolError, match="of its 1000 bytes"):
            receiving.post_recv(mem_id, offset, size)
    assert receiving.total_chunks == 0


def test_a_post_of_unknown_or_opposite_memory_is_refused(ends: Ends, receiving: Transfer) -> None:
    mem_id = ends.server.register_memory(bytearray(1000), is_recv=True)
    with pytest.raises(LocalProtocolError, match="mem_id 7; expected one of"):
        receiving.post_recv(7, 0, 10)
    with pytest.raises(LocalProtocolError, match="mem_id 1 is not a send buffer"):
        receiving.post_send(mem_id, 0, 10)


def test_a_post_after_release_is_refused(ends: Ends, receiving: Transfer) -> None:
    mem_id = ends.server.register_memory(bytearray(1000), is_recv=True)
    receiving.release()
    with pytest.raises(LocalProtocolError, match="released"):
        receiving.post_recv(mem_id, 0, 10)


def test_nothing_posted_is_complete(receiving: Transfer) -> None:
    assert receiving.is_complete()
    receiving.wait(0.0)


def test_posts_go_round_and_begin_again_after_wait(ends: Ends) -> None:
    seen: list[tuple[int, int]] = []
    receiving = ends.server.create_transfer(
        "client", lambda channel, job, view: seen.append((channel, job.chunk))
    )
    sending = ends.client.create_transfer("server")
    target = ends.server.register_memory(bytearray(30), is_recv=True)
    source = ends.client.register_memory(bytearray(30), is_recv=False)
    for _ in range(2):
        for chunk in range(3):
            receiving.post_recv(target, chunk * 10, 10)
            sending.post_send(source, chunk * 10, 10)
        sending.wait(PATIENCE_S)
        receiving.wait(PATIENCE_S)
        assert receiving.is_complete()
    assert sorted(seen) == [(0, 0), (0, 0), (0, 2), (0, 2), (1, 1), (1, 1)]
    for transfer in (receiving, sending):
        transfer.release()


def test_a_chunk_may_be_left_out_without_moving_the_others(ends: Ends) -> None:
    seen: list[tuple[int, int]] = []
    receiving = ends.server.create_transfer(
        "client", lambda channel, job, view: seen.append((channel, job.chunk))
    )
    sending = ends.client.create_transfer("server")
    target = ends.server.register_memory(bytearray(30), is_recv=True)
    source = ends.client.register_memory(bytearray(30), is_recv=False)
    for chunk in (0, 2):
        receiving.post_recv(target, chunk * 10, 10, chunk=chunk)
        sending.post_send(source, chunk * 10, 10, chunk=chunk)
    receiving.wait(PATIENCE_S)
    assert seen == [(0, 0), (0, 2)], "chunk 2 is on channel 0 though it is the second post"
    for transfer in (receiving, sending):
        transfer.release()


def test_a_feed_is_drawn_by_the_channels_own_thread(ends: Ends) -> None:
    seen: list[tuple[int, int, int]] = []
    receiving = ends.server.create_transfer(
        "client", lambda channel, job, view: seen.append((channel, job.tag, int(view[0])))
    )
    sending = ends.client.create_transfer("server")
    target = ends.server.register_memory(bytearray(30), is_recv=True)
    source = ends.client.register_memory(bytearray(range(30)), is_recv=False)
    drawn_by: set[str] = set()

    def jobs(mem_id: int) -> Iterator[Job]:
        for tag in range(900):
            drawn_by.add(threading.current_thread().name)
            yield Job(tag % 3, mem_id, tag % 3 * 10, 10, tag)

    receiving.feed_recv(1, jobs(target), 900)
    receiving.feed_recv(0, iter(()), 0)
    sending.feed_send(1, jobs(source), 900)
    for transfer in (sending, receiving):
        transfer.wait(PATIENCE_S)
        assert transfer.completed_chunks == transfer.total_chunks == 900
        transfer.release()
    assert seen == [(1, tag, tag % 3 * 10) for tag in range(900)]
    assert drawn_by == {"channel-1-recv", "channel-1-send"}


def test_what_a_feed_has_not_moved_is_a_stall(ends: Ends, receiving: Transfer) -> None:
    target = ends.server.register_memory(bytearray(30), is_recv=True)
    receiving.feed_recv(1, (Job(0, target, 0, 10, tag) for tag in range(50)), 50)
    with pytest.raises(StallError, match=r"channel 1 \(lo\) 0 of 50 chunks"):
        receiving.wait(0.1)


def test_release_ends_a_feed_that_is_not_drawn_to_its_end(ends: Ends, receiving: Transfer) -> None:
    target = ends.server.register_memory(bytearray(30), is_recv=True)
    drawn: list[int] = []

    def jobs() -> Iterator[Job]:
        for tag in range(10_000):
            drawn.append(tag)
            yield Job(0, target, 0, 10, tag)

    receiving.feed_recv(1, jobs(), 10_000)
    receiving.release()
    assert len(drawn) <= 17
    with pytest.raises(LocalProtocolError, match="released"):
        receiving.feed_recv(1, jobs(), 1)


def test_a_feed_without_a_count_is_done_when_it_ends(ends: Ends, receiving: Transfer) -> None:
    """It may have nothing for now while something is in flight; what was drawn is counted."""
    source = ends.client.register_memory(bytearray(30), is_recv=False)
    target = ends.server.register_memory(bytearray(30), is_recv=True)
    sending = ends.client.create_transfer("server")
    more = threading.Event()

    def jobs() -> Iterator[Job | None]:
        yield Job(0, target, 0, 10, 0)
        while not more.is_set():
            yield None
        yield Job(1, target, 10, 10, 1)

    receiving.draw_recv(1, jobs())
    with pytest.raises(StallError, match=r"channel 1 \(lo\) 0 of 1 chunks"):
        receiving.wait(0.1)
    more.set()
    sending.feed_send(1, iter([Job(c, source, 0, 10, c) for c in range(2)]), 2)
    receiving.wait(PATIENCE_S)
    assert receiving.completed_chunks == receiving.total_chunks == 2
    assert receiving.is_complete()


def test_a_feed_that_has_not_ended_keeps_the_transfer_waiting(
    ends: Ends, receiving: Transfer
) -> None:
    over = threading.Event()

    def jobs() -> Iterator[Job | None]:
        over.wait(PATIENCE_S)
        yield from ()

    receiving.draw_recv(1, jobs())
    with pytest.raises(StallError):
        receiving.wait(0.05)
    over.set()
    receiving.wait(PATIENCE_S)
    assert receiving.total_chunks == 0


def test_a_feed_that_fails_fails_the_transfer(ends: Ends, receiving: Transfer) -> None:
    def jobs() -> Iterator[Job | None]:
        raise PeerGoneError("nobody to grant to")
        yield None

    receiving.draw_recv(1, jobs())
    with pytest.raises(PeerGoneError, match="nobody to grant to"):
        receiving.wait(PATIENCE_S)


# -- independence ------------------------------------------------------------------------------


def test_a_stalled_channel_does_not_stop_the_others() -> None:
    plan = Plan(size_bytes=4 * MIB, chunk_bytes=64 * KIB)
    with connected(plan.channels) as ends:
        exchange = Exchange(ends, plan)
        others, check = threading.Event(), exchange.check
        left = plan.chunks - plan.channel_chunks(0)
        counted = threading.Lock()

        def hold_channel_0(channel: int, *rest: Any) -> None:
            nonlocal left
            if channel == 0:
                assert others.wait(PATIENCE_S), "the other channels wait for channel 0"
            check(channel, *rest)
            with counted:
                left -= channel != 0
                if not left:
                    others.set()

        exchange.receiving = ends.server.create_transfer("client", hold_channel_0)
        exchange.run()
    assert exchange.findings == []


def test_a_full_queue_holds_up_the_poster_and_names_the_channel(ends: Ends) -> None:
    receiving = ends.server.create_transfer("client", deadline_s=0.2)
    mem_id = ends.server.register_memory(bytearray(10), is_recv=True)
    room = 2 * QUEUE_CHUNKS
    with pytest.raises(StallError, match=r"channel 0 \(lo\) 0 of \d+ chunks, silent from the"):
        post_many(receiving, mem_id, room + 2)
    assert room <= receiving.total_chunks <= room + 2
    receiving.release()


def post_many(transfer: Transfer, mem_id: int, count: int) -> None:
    for _ in range(count):
        transfer.post_recv(mem_id, 0, 10)


# -- failures ----------------------------------------------------------------------------------


def test_a_silent_channel_is_named_at_the_deadline(ends: Ends) -> None:
    receiving = ends.server.create_transfer("client")
    sending = ends.client.create_transfer("server")
    target = ends.server.register_memory(bytearray(60), is_recv=True)
    source = ends.client.register_memory(bytearray(60), is_recv=False)
    for chunk in range(6):
        receiving.post_recv(target, chunk * 10, 10)
        if chunk not in (3, 5):  # channel 1 gets its first chunk only
            sending.post_send(source, chunk * 10, 10, chunk=chunk)
    with pytest.raises(
        StallError,
        match=r"channel 1: lo: not done .*: channel 1 \(lo\) 1 of 3 chunks, silent for 0\.\d s"
        r"; expected 6 chunks, 4 are done",
    ) as caught:
        receiving.wait(0.3)
    assert caught.value.channel == 1
    for transfer in (receiving, sending):
        transfer.release()


def test_the_channel_that_was_silent_longest_is_the_culprit(ends: Ends) -> None:
    receiving = ends.server.create_transfer("client")
    sending = ends.client.create_transfer("server")
    target = ends.server.register_memory(bytearray(60), is_recv=True)
    source = ends.client.register_memory(bytearray(60), is_recv=False)
    for chunk in range(6):
        receiving.post_recv(target, chunk * 10, 10)
    sending.post_send(source, 0, 10, chunk=0)  # channel 0 gets one of three, channel 1 nothing
    with pytest.raises(
        StallError, match=r"channel 1 \(lo\) 0 of 3 .*, channel 0 \(lo\) 1 of 3"
    ) as caught:
        receiving.wait(0.2)
    assert caught.value.channel == 1
    for transfer in (receiving, sending):
        transfer.release()


def test_a_lost_peer_fails_the_whole_transfer_at_once(ends: Ends) -> None:
    receiving = ends.server.create_transfer("client")
    target = ends.server.register_memory(bytearray(40), is_recv=True)
    for chunk in range(4):
        receiving.post_recv(target, chunk * 10, 10)
    ends.client.close()
    started_s = time.monotonic()
    with pytest.raises(PeerGoneError, match=r"channel \d: lo, chunk \d: the peer closed"):
        receiving.wait(PATIENCE_S)
    assert time.monotonic() - started_s < 2.0
    with pytest.raises(PeerGoneError):
        receiving.is_complete()
    with pytest.raises(PeerGoneError):
        receiving.post_recv(target, 0, 10)
    receiving.release()


def test_a_peer_lost_on_one_channel_is_named_with_its_chunk(ends: Ends) -> None:
    receiving = ends.server.create_transfer("client")
    target = ends.server.register_memory(bytearray(40), is_recv=True)
    for chunk in range(4):
        receiving.post_recv(target, chunk * 10, 10)
    ends.client.net.close_send(ends.client.manager.get_channel(1).comm)
    with pytest.raises(PeerGoneError, match="channel 1: lo, chunk 1") as caught:
        receiving.wait(PATIENCE_S)
    assert caught.value.channel == 1
    receiving.release()


def test_a_sender_notices_that_its_peer_is_gone(ends: Ends) -> None:
    sending = ends.client.create_transfer("server")
    source = ends.client.register_memory(bytearray(8 * MIB), is_recv=False)
    ends.server.close()
    for _ in range(8):
        post_or_fail(sending, source)
    with pytest.raises(RemoteProtocolError, match=r"channel \d: lo, chunk \d"):
        sending.wait(PATIENCE_S)
    sending.release()


def post_or_fail(transfer: Transfer, mem_id: int) -> None:
    try:
        transfer.post_send(mem_id, 0, 8 * MIB)
    except RemoteProtocolError:
        return


def test_the_cause_comes_before_its_echoes(ends: Ends) -> None:
    """A frame too large on one channel, a lost peer on the other: the first is the cause."""
    receiving = ends.server.create_transfer("client")
    target = ends.server.register_memory(bytearray(1000), is_recv=True)
    source = ends.client.register_memory(bytearray(1000), is_recv=False)
    receiving.post_recv(target, 0, 10)  # channel 0 waits for a peer that goes away
    receiving.post_recv(target, 10, 10)  # channel 1 gets more than it has room for
    sending = ends.client.create_transfer("server")
    ends.client.net.close_send(ends.client.manager.get_channel(0).comm)
    with pytest.raises(PeerGoneError):
        receiving.wait(PATIENCE_S)
    sending.post_send(source, 0, 600, chunk=1)
    until_s = time.monotonic() + PATIENCE_S
    while "600 bytes" not in said(receiving):
        assert time.monotonic() < until_s
    with pytest.raises(RemoteProtocolError, match=r"channel 1: .*sent 600 bytes into"):
        receiving.wait(PATIENCE_S)
    for transfer in (receiving, sending):
        transfer.release()


def said(transfer: Transfer) -> str:
    try:
        transfer.is_complete()
    except RemoteProtocolError as error:
        return str(error)
    return ""


def test_an_error_in_on_chunk_reaches_the_one_who_waits(ends: Ends) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("planted")

    receiving = ends.server.create_transfer("client", fail)
    sending = ends.client.create_transfer("server")
    target = ends.server.register_memory(bytearray(10), is_recv=True)
    source = ends.client.register_memory(bytearray(10), is_recv=False)
    receiving.post_recv(target, 0, 10)
    sending.post_send(source, 0, 10)
    with pytest.raises(ZeroDivisionError, match="planted"):
        receiving.wait(PATIENCE_S)
    for transfer in (receiving, sending):
        transfer.release()


def test_release_leaves_no_thread(ends: Ends) -> None:
    before = set(threading.enumerate())
    receiving = ends.server.create_transfer("client")
    target = ends.server.register_memory(bytearray(10), is_recv=True)
    for _ in range(4):
        receiving.post_recv(target, 0, 10)
    lanes = set(threading.enumerate()) - before
    assert sorted(lane.name for lane in lanes) == ["channel-0-recv", "channel-1-recv"]
    receiving.release()
    assert not any(lane.is_alive() for lane in lanes)
