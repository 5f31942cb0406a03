"""The transfer exercise, receiving: unpack and verify each chunk while it is in cache.

One receiver is one member of the server's crew, with channels of its own. Verification runs in the
channels' threads, right after the unpack step, so it overlaps with the wire. What the receiver saw
goes to the role (delivery.py): a share of an iteration when it is whole, damage at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.evidence import ChannelDone
from harness.roles import mischief
from harness.roles.crew import Member
from harness.roles.dealer import Dealer
from harness.roles.endpoint import Endpoint, fault, nonce_of
from harness.roles.iterations import Iterations
from harness.tcpx import payload
from harness.tcpx.lane import ChannelStats, Job
from harness.tcpx.net.plugin import Landing


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk of an iteration that is wrong. Told at once: its member may not live to tell more."""

    iteration: int
    finding: payload.Finding


class Receiver:
    """Receives and verifies a member's channels."""

    def __init__(self, endpoint: Endpoint, member: Member, dealer: Dealer | None = None) -> None:
        self.endpoint, self.plan, self._member = endpoint, endpoint.plan, member
        self._dealer = dealer
        self._nonce = nonce_of(endpoint.assignment)
        self._intakes = {c: endpoint.buffers.intake(self.plan.chunk_bytes) for c in member.channels}
        self._raw = fault(self.plan, "raw") is not None
        self._blind = mischief.is_blind(self.plan)
        last = self.plan.iterations - 1
        on_the_way = endpoint.buffers.is_checked_on_the_way
        self._poisoned = range(last - 1 if on_the_way else 0, last)
        chunks = sum(len(self._chunks(channel)) for channel in member.channels)
        self._iterations = Iterations(self.plan, chunks, member.tell)
        self.transfer = endpoint.session.create_transfer(
            "client",
            self._dealt_arrived if dealer else self._arrived,
            deadline_s=endpoint.left_s,
            unpack=self._unpack,
        )

    def run(self) -> None:
        """All iterations, and then the channels' totals."""
        try:
            for numbers in self._iterations.rounds(one_by_one=self._would_overwrite):
                self._feed(numbers)
                self.transfer.wait(self.endpoint.left_s)
                if self.plan.acknowledged:
                    self._member.turn()
        finally:
            for share in self._iterations.unfinished():
                self._member.tell(share)
        self.transfer.release()
        for stats in self.transfer.channel_stats():
            if stats.channel in self._intakes:
                self._member.tell(self._total(stats))

    @property
    def _would_overwrite(self) -> bool:
        """Whether a device could have a chunk of the next iteration to unpack before the same
        chunk of this one was looked at."""
        room = self.plan.channels * self.plan.receives_ahead
        return self.endpoint.buffers.is_checked_on_the_way and self.plan.chunks <= room

    def _chunks(self, channel: int) -> range:
        """Those that this channel is to receive in each iteration."""
        return range(channel, mischief.chunks_to_receive(self.plan), self.plan.channels)

    def _feed(self, numbers: range) -> None:
        if self._dealer:
            places = self.endpoint.places(range(self.plan.chunks))
            for channel in self._member.channels:
                self.transfer.draw_recv(channel, self._dealt(self._dealer, channel, places))
            return
        for channel in self._member.channels:
            places = self.endpoint.places(self._chunks(channel))
            jobs = self._iterations.jobs(numbers, places)
            self.transfer.feed_recv(channel, jobs, len(numbers) * len(places))

    def _unpack(
        self, channel: int, job: Job, descriptors: Any, bounce: NDArray[np.uint8], view: Any
    ) -> Landing | None:
        """One chunk is in the bounce buffer. Runs in the channel's thread, as all that follows."""
        if self._raw:
            return None
        number, chunk = self._iterations.place(job.tag)
        place = None if self._blind else place_of(self.endpoint, number, chunk)
        return self._intakes[channel].unpack(descriptors, bounce, view, self._nonce, place)

    def _arrived(self, channel: int, job: Job, landed: Any) -> None:
        """One chunk is in its place: check it."""
        number, chunk = self._iterations.place(job.tag)
        size_bytes = self.plan.chunk_size(chunk)
        if self.plan.faults:
            view = self.endpoint.chunk_view(chunk)
            if mischief.on_chunk(self.plan, self.endpoint.buffers, view, chunk):
                landed = None  # what was seen on the way is not true any more
        self.endpoint.moved[channel] += size_bytes
        if not self._blind:
            self._check(channel, number, chunk, landed)
        self._iterations.note(number, chunk, size_bytes)

    def _dealt(self, dealer: Dealer, channel: int, places: list[Job]) -> Iterator[Job | None]:
        """What the dealer has for `channel`."""
        for tag in dealer.draws(channel):
            yield None if tag is None else places[tag % len(places)]._replace(tag=tag)

    def _dealt_arrived(self, channel: int, job: Job, landed: Any) -> None:
        """The same for a chunk that the dealer waits for."""
        assert self._dealer is not None
        self._arrived(channel, job, landed)
        if self._iterations.place(job.tag)[0] in self._poisoned:
            self.endpoint.buffers.settle()  # the next to unpack there may be another thread
        self._dealer.received(job.tag)

    def _check(self, channel: int, number: int, chunk: int, landed: Any) -> None:
        """Look where the chunk should be by the plan, whatever place it was unpacked into."""
        view = self.endpoint.chunk_view(chunk)
        place = place_of(self.endpoint, number, chunk)
        finding = self._intakes[channel].check(landed, view, self._nonce, place)
        if finding is not None:
            self._member.tell(Found(number, finding))
        if number in self._poisoned:
            self.endpoint.buffers.poison(view)  # for the next iteration, while it is in cache

    def _total(self, stats: ChannelStats) -> ChannelDone:
        """What the channel moved; a short server lies here, which the ledger must notice."""
        short = fault(self.plan, "short") is not None
        claimed = self.plan.channel_bytes(stats.channel) * self.plan.iterations
        return ChannelDone(
            node=self.endpoint.assignment.node,
            role="server",
            channel=stats.channel,
            bytes=claimed if short else stats.payload_bytes,
            chunks=stats.chunks,
            frame_bytes=self.endpoint.frame_bytes(stats.channel),
            bytes_verified=self._intakes[stats.channel].bytes,
            words_verified=self._intakes[stats.channel].words,
            started_s=stats.first_s,
            ended_s=stats.last_s,
        )


def place_of(endpoint: Endpoint, number: int, chunk: int) -> payload.Place:
    """What the words of a chunk say; a prepared payload is iteration 0's in all of them."""
    plan = endpoint.plan
    sent = 0 if plan.prepared else number
    return payload.Place(iteration=sent, channel=plan.channel_of(chunk), chunk=chunk)
