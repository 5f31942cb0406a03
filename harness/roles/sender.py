"""The transfer exercise, sending: fill a chunk, post it, and wait for the server's word.

A chunk is filled by its channel's thread right before it is sent, while its memory is in cache; a
prepared plan has them all filled before. An iteration ends when its last chunk goes out; the last
one ends when the server has acknowledged that everything is verified, so the time of them all is
the time of data that arrived.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.evidence import ChannelDone
from harness.roles import mischief
from harness.roles.endpoint import Endpoint, nonce_of
from harness.roles.iterations import Iteration, Iterations
from harness.tcpx.bootstrap import Connection
from harness.tcpx.lane import Job


class Sender:
    """Sends every iteration of the endpoint's plan."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint, self.plan = endpoint, endpoint.plan
        self._nonce = nonce_of(endpoint.assignment)
        self._unanswered: Iteration | None = None
        for chunk in range(self.plan.chunks if self.plan.prepared else 1):  # one brings tables in
            mischief.fill(self.plan, endpoint.chunk_view(chunk), self._nonce, 0, chunk)
        self._iterations = Iterations(self.plan, self.plan.chunks, self._done)
        self.transfer = endpoint.session.create_transfer(
            "server", self._sending, deadline_s=endpoint.left_s
        )

    def sent_bytes(self) -> int:
        """Payload handed to the kernel so far, for people who watch."""
        return sum(stats.payload_bytes for stats in self.transfer.channel_stats())

    def run(self, connection: Connection) -> None:
        connection.recv_exact(1, self.endpoint.left_s)  # the server is ready to receive
        for numbers in self._iterations.rounds(one_by_one=self._would_overwrite):
            self._feed(numbers)
            self.transfer.wait(self.endpoint.left_s)
            if self.plan.acknowledged:
                self._answered(connection)
        if not self.plan.acknowledged:
            self._answered(connection)
        self.transfer.release()

    def _answered(self, connection: Connection) -> None:
        """Wait until the server has said that all is verified."""
        connection.recv_exact(1, self.endpoint.left_s)
        if self._unanswered is not None:
            self._iterations.end(self._unanswered)
            self.endpoint.say_iteration(self._unanswered)
            self._unanswered = None

    @property
    def _would_overwrite(self) -> bool:
        """Whether a chunk could be filled anew while it is still in its channel's window."""
        plan = self.plan
        behind = min(plan.send_window, self.endpoint.net.sends_ahead) - 1
        return not plan.prepared and plan.chunks <= plan.channels * behind

    def _feed(self, numbers: range) -> None:
        """Let every channel send its chunks of these iterations."""
        for channel in range(self.plan.channels):
            places = self._places(range(channel, self.plan.chunks, self.plan.channels))
            jobs = self._iterations.jobs(numbers, places)
            self.transfer.feed_send(channel, jobs, len(numbers) * len(places))

    def _places(self, chunks: range) -> list[Job]:
        """Where the bytes are that go out as these chunks."""
        taken = [(chunk, mischief.chunk_to_send(self.plan, chunk)) for chunk in chunks]
        sent = self.endpoint.places(chunk for _, chunk in taken if chunk is not None)
        kept = [chunk for chunk, source in taken if source is not None]
        return [job._replace(chunk=chunk, tag=chunk) for chunk, job in zip(kept, sent, strict=True)]

    def _sending(self, channel: int, job: Job, view: NDArray[np.uint8]) -> None:
        """One chunk is about to be sent: write its words. Runs in the channel's thread."""
        number, place = self._iterations.place(job.tag)
        chunk = mischief.chunk_to_send(self.plan, place)
        if not self.plan.prepared and chunk is not None:
            mischief.fill(self.plan, view, self._nonce, number, chunk)
        self._iterations.note(job.tag, len(view))

    def _done(self, iteration: Iteration) -> None:
        """Its last chunk goes out; the last iteration of all ends with the server's word."""
        if self.plan.acknowledged or iteration.number == self.plan.iterations - 1:
            self._unanswered = iteration
        else:
            self.endpoint.say_iteration(iteration)

    def say_totals(self) -> None:
        for channel, stats in enumerate(self.transfer.channel_stats()):
            self.endpoint.voice.record(
                ChannelDone(
                    node=self.endpoint.assignment.node,
                    role="client",
                    channel=channel,
                    bytes=stats.payload_bytes,
                    chunks=stats.chunks,
                    frame_bytes=self.endpoint.frame_bytes(channel),
                    started_s=stats.first_s,
                    ended_s=stats.last_s,
                )
            )
