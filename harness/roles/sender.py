"""The transfer exercise, sending: fill a chunk and post it.

One sender is one member of the client's crew, with channels of its own. A chunk is filled by its
channel's thread right before it is sent, while its memory is in cache; a prepared plan has them all
filled before. A share of an iteration ends when its last chunk goes out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.errors import BootstrapError
from harness.evidence import ChannelDone
from harness.roles import mischief
from harness.roles.crew import Member
from harness.roles.endpoint import Endpoint, nonce_of
from harness.roles.iterations import Iterations
from harness.tcpx.lane import ChannelStats, Job


class Sender:
    """Sends a member's channels."""

    def __init__(self, endpoint: Endpoint, member: Member) -> None:
        self.endpoint, self.plan, self._member = endpoint, endpoint.plan, member
        self._nonce = nonce_of(endpoint.assignment)
        self._jobs = {
            c: self._places(range(c, self.plan.chunks, self.plan.channels)) for c in member.channels
        }
        chunks = sum(self.plan.channel_chunks(channel) for channel in member.channels)
        self._iterations = Iterations(self.plan, chunks, member.tell)
        self.transfer = endpoint.session.create_transfer(
            "server", self._sending, deadline_s=endpoint.left_s
        )

    def run(self) -> None:
        """All iterations, and then the channels' totals."""
        for numbers in self._iterations.rounds(one_by_one=self._would_overwrite):
            for channel, places in self._jobs.items():
                jobs = self._iterations.jobs(numbers, places)
                self.transfer.feed_send(channel, jobs, len(numbers) * len(places))
            self.transfer.wait(self.endpoint.left_s)
            if self.plan.acknowledged:
                self._member.turn()
        self._tell_totals()

    def follow(self, grants: Iterable[tuple[int, int]]) -> None:
        """All chunks, each on the channel that the server granted it, and then the totals."""
        places = self._places(range(self.plan.chunks))
        try:
            for channel, tag in grants:
                job = places[tag % self.plan.chunks]._replace(tag=tag)
                self.transfer.feed_send(channel, iter((job,)), 1)
        except BootstrapError:
            self.transfer.wait(self.endpoint.left_s)  # a channel that is behind is the reason
            raise
        self.transfer.wait(self.endpoint.left_s)
        self._tell_totals()

    def _tell_totals(self) -> None:
        self.transfer.release()
        for stats in self.transfer.channel_stats():
            if stats.channel in self._jobs:
                self._member.tell(self._total(stats))

    @property
    def _would_overwrite(self) -> bool:
        """Whether a chunk could be filled anew while it is still in its channel's window."""
        plan = self.plan
        behind = min(plan.send_window, self.endpoint.net.sends_ahead) - 1
        overtaken = plan.chunks < plan.channels * (behind + 1)
        return not plan.prepared and behind > 0 and overtaken

    def _places(self, chunks: range) -> list[Job]:
        """Where the bytes are that go out as these chunks."""
        taken = [(chunk, mischief.chunk_to_send(self.plan, chunk)) for chunk in chunks]
        sent = self.endpoint.places(chunk for _, chunk in taken if chunk is not None)
        kept = [chunk for chunk, source in taken if source is not None]
        return [job._replace(chunk=chunk, tag=chunk) for chunk, job in zip(kept, sent, strict=True)]

    def _sending(self, channel: int, job: Job, view: Any) -> None:
        """One chunk is about to be sent: write its words. Runs in the channel's thread."""
        number, place = self._iterations.place(job.tag)
        chunk = mischief.chunk_to_send(self.plan, place)
        if not self.plan.prepared and chunk is not None:
            mischief.fill(self.plan, self.endpoint.buffers, view, self._nonce, number, chunk)
        self.endpoint.moved[channel] += len(view)
        self._iterations.note(number, place, len(view))

    def _total(self, stats: ChannelStats) -> ChannelDone:
        return ChannelDone(
            node=self.endpoint.assignment.node,
            role="client",
            channel=stats.channel,
            bytes=stats.payload_bytes,
            chunks=stats.chunks,
            frame_bytes=self.endpoint.frame_bytes(stats.channel),
            started_s=stats.first_s,
            ended_s=stats.last_s,
        )
