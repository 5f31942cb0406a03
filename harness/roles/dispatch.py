"""The client's own part of a transfer: wait for the server, let its crew send, wait to be believed.

The last iteration ends when the server has acknowledged that everything is verified, so the time of
them all is the time of data that arrived.
"""

from __future__ import annotations

import time
from typing import Any

from harness.evidence import ChannelDone
from harness.roles import grants, mischief
from harness.roles.crew import Crew, Member
from harness.roles.endpoint import Endpoint, nonce_of
from harness.roles.iterations import Iteration, Shares
from harness.roles.sender import Sender
from harness.tcpx.bootstrap import Connection

PATIENCE_S = 1.5  # beyond the deadline: the server's may begin later, and its crew is heard out


class Dispatch:
    """Everything that the client sends, sent by its crew."""

    def __init__(self, endpoint: Endpoint, connection: Connection) -> None:
        self.endpoint, self.plan, self._connection = endpoint, endpoint.plan, connection
        self._shares = Shares(self.plan.chunks)
        self._unanswered: Iteration | None = None
        self.totals: list[ChannelDone] = []
        nonce = nonce_of(endpoint.assignment)
        buffers = endpoint.buffers
        for chunk in range(self.plan.chunks if self.plan.prepared else 1):  # one brings tables in
            mischief.fill(self.plan, buffers, endpoint.chunk_view(chunk), nonce, 0, chunk)
        buffers.settle()

    def run(self) -> None:
        self._hear()  # the server is ready to receive
        self._crew = Crew(
            self.endpoint.crew_size,
            self.plan.channels,
            self._send,
            heard=self._heard,
            turn=self._answered,
            left_s=lambda: self.endpoint.left_s,
        )
        self._crew.run()
        self._answered()

    def _send(self, member: Member) -> None:
        sender = Sender(self.endpoint, member)
        if self.plan.is_dealt:
            sender.follow(grants.read(self._connection, self.plan, lambda: self.endpoint.left_s))
        else:
            sender.run()

    def _answered(self) -> None:
        """Wait until the server has said that all is verified."""
        self._hear()
        if self._unanswered is not None:
            self._unanswered.ended_s = time.monotonic()
            self._unanswered.cpu_s = self._crew.cpu_s
            self.endpoint.say_iteration(self._unanswered)
            self._unanswered = None

    def _hear(self) -> None:
        """The server's word, or its end: it knows what is missing, so it may tire first."""
        self._connection.recv_exact(1, self.endpoint.left_s + PATIENCE_S)

    def _heard(self, thing: Any) -> None:
        """A channel's total, or a share of an iteration: its last chunk goes out."""
        if isinstance(thing, ChannelDone):
            self.totals.append(thing)
        elif isinstance(thing, Iteration) and (iteration := self._shares.add(thing)):
            if self.plan.acknowledged or iteration.number == self.plan.iterations - 1:
                self._unanswered = iteration
            else:
                iteration.cpu_s += self._crew.own_cpu_s
                self.endpoint.say_iteration(iteration)
