"""The server's own part of a transfer: begin, gather what its crew received, judge nothing, answer.

What is wrong with an iteration can only be told of all its chunks together, so damage is classified
here; and when all has arrived, the whole buffer is looked at once more.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from harness.evidence import ChannelDone, Damage
from harness.roles import grants, mischief
from harness.roles.crew import Crew, Member
from harness.roles.dealer import Dealer
from harness.roles.endpoint import ACK, Endpoint, nonce_of
from harness.roles.iterations import Iteration, Shares
from harness.roles.receiver import Found, Receiver, place_of
from harness.tcpx import payload
from harness.tcpx.bootstrap import Connection


class Delivery:
    """Everything that the client sends, received by the server's crew."""

    def __init__(self, endpoint: Endpoint, connection: Connection) -> None:
        self.endpoint, self.plan, self._connection = endpoint, endpoint.plan, connection
        self._expected = mischief.chunks_to_receive(self.plan)
        self._shares = Shares(self._expected)
        self._findings: dict[int, list[payload.Finding]] = defaultdict(list)  # by iteration
        self._damaged: set[int] = set()  # chunks of the last iteration told of
        self.totals: list[ChannelDone] = []
        self._dealer: Dealer | None = None
        if self.plan.is_dealt:
            self._dealer = Dealer(self.plan, self._grant, lambda: self.endpoint.left_s)

    def run(self) -> None:
        """From telling the client to begin to telling it that all is verified."""
        self._answer()
        self._crew = Crew(
            self.endpoint.crew_size,
            self.plan.channels,
            self._receive,
            heard=self._heard,
            turn=self._answer,
            left_s=lambda: self.endpoint.left_s,
        )
        try:
            self._crew.run()
        finally:
            for iteration in self._shares.unfinished():
                self._say_damage(iteration)
        self._answer()
        if not mischief.is_blind(self.plan):
            self._look_again()

    def _receive(self, member: Member) -> None:
        Receiver(self.endpoint, member, self._dealer).run()

    def _grant(self, channel: int, tag: int) -> None:
        grants.send(self._connection, channel, tag, self.endpoint.left_s)

    def _answer(self) -> None:
        self._connection.send_exact(ACK, self.endpoint.left_s)

    def _heard(self, thing: Any) -> None:
        """A channel's total, a wrong chunk, or a share of an iteration."""
        if isinstance(thing, ChannelDone):
            self.totals.append(thing)
        elif isinstance(thing, Found):
            self._findings[thing.iteration].append(thing.finding)
        elif isinstance(thing, Iteration) and (iteration := self._shares.add(thing)):
            iteration.cpu_s += self._crew.own_cpu_s
            self._say_damage(iteration)
            self.endpoint.say_iteration(iteration)

    def _look_again(self) -> None:
        """The whole buffer once more: nothing may have been written over a chunk that was right."""
        last, nonce = self.plan.iterations - 1, nonce_of(self.endpoint.assignment)
        intake = self.endpoint.buffers.intake(self.plan.chunk_bytes)
        for chunk in set(range(self._expected)) - self._damaged:
            view = self.endpoint.chunk_view(chunk)
            finding = intake.check(None, view, nonce, place_of(self.endpoint, last, chunk))
            if finding is not None:
                self._findings[last].append(finding)
        self._say_damage(Iteration(last, 0.0, chunks=set(range(self._expected))))

    def _say_damage(self, iteration: Iteration) -> None:
        found = payload.classify(self._findings.pop(iteration.number, []), iteration.chunks)
        self._damaged = {damage.place.chunk for damage in found}
        for damage in sorted(found, key=lambda f: f.place.chunk):
            self.endpoint.voice.record(
                Damage(
                    node=self.endpoint.assignment.node,
                    channel=self._carrier(damage.place, iteration.number),
                    iteration=iteration.number,
                    chunk=damage.place.chunk,
                    kind=damage.kind,
                    words_wrong=damage.words_wrong,
                    first_word=damage.first_word,
                    last_word=damage.last_word,
                    source_iteration=damage.source.iteration,
                    source_channel=self._carrier(damage.source, iteration.number),
                    source_chunk=damage.source.chunk,
                    detail=damage.detail,
                )
            )

    def _carrier(self, place: payload.Place, number: int) -> int:
        """The channel that carried what stands, or should stand, at `place` in iteration `number`.
        Words say round-robin's; of a prepared payload, iteration 0's are all iterations'."""
        if self._dealer is None or place.chunk < 0:
            return place.channel
        sent = number if self.plan.prepared else place.iteration
        return self._dealer.carrier(sent * self.plan.chunks + place.chunk)
