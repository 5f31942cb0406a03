"""The transfer exercise, receiving: post, unpack, verify each chunk while it is in cache.

Verification runs in the channels' own threads, right after the unpack step, so it overlaps with the
wire. Each channel writes only its own counters; they are added up after `wait`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.evidence import ChannelDone, Damage
from harness.roles import mischief
from harness.roles.endpoint import ACK, Endpoint, fault, nonce_of
from harness.roles.iterations import Iteration, Iterations
from harness.tcpx import payload
from harness.tcpx.bootstrap import Connection
from harness.tcpx.lane import Job
from harness.tcpx.unpack import unpack


class Receiver:
    """Receives and verifies every iteration of the endpoint's plan."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint, self.plan = endpoint, endpoint.plan
        self._nonce = nonce_of(endpoint.assignment)
        self._checkers = [payload.Checker(self.plan.chunk_bytes) for _ in range(self.plan.channels)]
        self._findings: dict[int, list[payload.Finding]] = defaultdict(list)  # by iteration
        self._damaged: set[int] = set()  # chunks of the last iteration told of
        self._received = np.zeros(self.plan.channels, np.int64)
        raw = fault(self.plan, "raw") is not None
        self._blind = raw or fault(self.plan, "blind") is not None
        self._expected = mischief.chunks_to_receive(self.plan)
        self._iterations = Iterations(self.plan, self._expected, self._done)
        self.transfer = endpoint.session.create_transfer(
            "client",
            self._arrived,
            deadline_s=endpoint.left_s,
            unpack=_leave if raw else unpack,
        )

    def received_bytes(self) -> int:
        """Payload so far, for people who watch."""
        return int(self._received.sum())

    def run(self, connection: Connection) -> None:
        """All iterations, from telling the client to begin to telling it that all is verified."""
        connection.send_exact(ACK, self.endpoint.left_s)
        try:
            for numbers in self._iterations.rounds():
                self._feed(numbers)
                self.transfer.wait(self.endpoint.left_s)
                if self.plan.acknowledged:
                    connection.send_exact(ACK, self.endpoint.left_s)
        finally:
            for iteration in self._iterations.unfinished():
                self._say_damage(iteration)
        connection.send_exact(ACK, self.endpoint.left_s)
        if not self._blind:
            self._look_again()
        self.transfer.release()

    def _feed(self, numbers: range) -> None:
        """Let every channel receive its chunks of these iterations."""
        for channel in range(self.plan.channels):
            chunks = range(channel, self._expected, self.plan.channels)
            jobs = self._iterations.jobs(numbers, self.endpoint.places(chunks))
            self.transfer.feed_recv(channel, jobs, len(numbers) * len(chunks))

    def _arrived(self, channel: int, job: Job, view: NDArray[np.uint8]) -> None:
        """One chunk is in its place: check it. Runs in the channel's thread."""
        number, chunk = self._iterations.place(job.tag)
        mischief.on_chunk(self.plan, number, chunk, view)
        self._received[channel] += len(view)
        if not self._blind:
            self._check(channel, number, chunk)
        self._iterations.note(job.tag, len(view))

    def _check(self, channel: int, number: int, chunk: int) -> None:
        """Look where the chunk should be by the plan, whatever place it was unpacked into."""
        view = self.endpoint.chunk_view(chunk)
        finding = self._checkers[channel].check(view, self._nonce, self._place(number, chunk))
        if finding is not None:
            self._findings[number].append(finding)
        if number < self.plan.iterations - 1:
            payload.poison(view)  # for the next iteration, while the chunk is in cache

    def _place(self, number: int, chunk: int) -> payload.Place:
        sent = 0 if self.plan.prepared else number
        channel = self.plan.channel_of(chunk)
        return payload.Place(iteration=sent, channel=channel, chunk=chunk)

    def _look_again(self) -> None:
        """The whole buffer once more: nothing may have been written over a chunk that was right."""
        last = self.plan.iterations - 1
        checker = payload.Checker(self.plan.chunk_bytes)
        for chunk in range(self._expected):
            if chunk in self._damaged:
                continue
            view = self.endpoint.chunk_view(chunk)
            finding = checker.check(view, self._nonce, self._place(last, chunk))
            if finding is not None:
                self._findings[last].append(finding)
        self._say_damage(Iteration(last, 0.0, chunks=set(range(self._expected))))

    def _done(self, iteration: Iteration) -> None:
        self._say_damage(iteration)
        self.endpoint.say_iteration(iteration)

    def _say_damage(self, iteration: Iteration) -> None:
        found = payload.classify(self._findings.pop(iteration.number, []), iteration.chunks)
        self._damaged = {damage.place.chunk for damage in found}
        for damage in sorted(found, key=lambda f: f.place.chunk):
            self.endpoint.voice.record(
                Damage(
                    node=self.endpoint.assignment.node,
                    channel=damage.place.channel,
                    iteration=iteration.number,
                    chunk=damage.place.chunk,
                    kind=damage.kind,
                    words_wrong=damage.words_wrong,
                    first_word=damage.first_word,
                    last_word=damage.last_word,
                    source_iteration=damage.source.iteration,
                    source_channel=damage.source.channel,
                    source_chunk=damage.source.chunk,
                    detail=damage.detail,
                )
            )

    def say_totals(self) -> None:
        """One ChannelDone a channel; a short server lies here, which the ledger must notice."""
        short = fault(self.plan, "short") is not None
        for channel, stats in enumerate(self.transfer.channel_stats()):
            claimed = self.plan.channel_bytes(channel) * self.plan.iterations
            self.endpoint.voice.record(
                ChannelDone(
                    node=self.endpoint.assignment.node,
                    role="server",
                    channel=channel,
                    bytes=claimed if short else stats.payload_bytes,
                    chunks=stats.chunks,
                    frame_bytes=self.endpoint.frame_bytes(channel),
                    bytes_verified=self._checkers[channel].bytes,
                    words_verified=self._checkers[channel].words,
                    started_s=stats.first_s,
                    ended_s=stats.last_s,
                )
            )


def _leave(descriptors: Any, bounce: NDArray[np.uint8], place: NDArray[np.uint8]) -> None:
    """The raw fault's unpack step."""
