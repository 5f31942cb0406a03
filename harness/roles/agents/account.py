"""What an agent tells of itself, record by record; it never says whether that was good."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from harness.evidence import (
    ChannelDone,
    ChannelSockets,
    Damage,
    IterationDone,
    Observed,
    SocketSeen,
)
from harness.plan import Assignment
from harness.roles.voice import Voice
from harness.tcpx.payload import Checker, Finding

CHANNEL = 0  # the agents' one connection


@dataclass(slots=True)
class Account:
    """One agent's; `moved_bytes` is the payload so far."""

    assignment: Assignment
    voice: Voice
    moved_bytes: int = 0
    began_s: float = 0.0

    def step(self, subject: str, value: int, detail: str = "") -> None:
        """How often a step of the contract was taken."""
        node, role = self.assignment.node, self.assignment.role
        self.voice.record(
            Observed(node=node, role=role, subject=subject, value=value, detail=detail)
        )

    def iteration(self, number: int, started_s: float) -> None:
        """One iteration is over."""
        plan = self.assignment.plan
        self.began_s = self.began_s or started_s
        self.moved_bytes += plan.size_bytes
        self.voice.record(
            IterationDone(
                node=self.assignment.node,
                role=self.assignment.role,
                iteration=number,
                bytes=plan.size_bytes,
                chunks=plan.chunks,
                started_s=started_s,
                ended_s=time.monotonic(),
                cpu_s=round(time.process_time(), 6),
            )
        )

    def done(self, checker: Checker) -> None:
        """All iterations are over; `checker` has looked at what was received."""
        plan = self.assignment.plan
        self.voice.record(
            ChannelDone(
                node=self.assignment.node,
                role=self.assignment.role,
                channel=CHANNEL,
                bytes=self.moved_bytes,
                chunks=plan.chunks * plan.iterations,
                frame_bytes=0,  # the library's own, which it does not tell
                bytes_verified=checker.bytes,
                words_verified=checker.words,
                started_s=self.began_s,
                ended_s=time.monotonic(),
            )
        )

    def damage(self, findings: Iterable[Finding], number: int) -> None:
        """Chunks of one iteration that are wrong."""
        for found in findings:
            self.voice.record(
                Damage(
                    node=self.assignment.node,
                    channel=CHANNEL,
                    iteration=number,
                    chunk=found.place.chunk,
                    kind=found.kind,
                    words_wrong=found.words_wrong,
                    first_word=found.first_word,
                    last_word=found.last_word,
                    source_iteration=found.source.iteration,
                    source_channel=found.source.channel,
                    source_chunk=found.source.chunk,
                    detail=found.detail,
                )
            )

    def sockets(self, seen: Iterable[SocketSeen]) -> None:
        """All that the library has, read before it closes them."""
        self.voice.record(
            ChannelSockets(
                node=self.assignment.node,
                role=self.assignment.role,
                channel=CHANNEL,
                sockets=tuple(seen),
            )
        )
