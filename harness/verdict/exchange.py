"""A read-only view of one exchange's entries, for checks to ask questions of.

It knows when a thing was seen, in seconds since the exchange began. A record's own time is the
node's monotonic clock, which may be days ahead of ours: it is used where the offset was measured,
otherwise the time at which the record reached the controller stands in for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from harness.errors import EvidenceError
from harness.evidence import (
    ChannelDone,
    ChannelSockets,
    ClockMeasured,
    Entry,
    ExchangeEnded,
    ExchangePlanned,
    IterationDone,
    ProgramSaid,
    ProgramSockets,
    ProgramStarted,
    Progress,
    Record,
    RoleExited,
    SocketSeen,
)
from harness.plan import Plan
from harness.verdict.connections import by_channel

ROLES = ("server", "client")
R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Seen(Generic[R]):
    """A record, and when it happened in seconds since the exchange began."""

    record: R
    at_s: float


class Exchange:
    """What was planned and what was seen. `entries` are those of this exchange, and of its mesh
    those that belong to all. `mates` are all exchanges that ran at the same time, itself too."""

    def __init__(self, entries: Sequence[Entry], *, began_s: float | None = None) -> None:
        planned = [e for e in entries if isinstance(e.record, ExchangePlanned)]
        if len(planned) != 1:
            raise EvidenceError(
                f"{len(planned)} planned exchanges among {len(entries)} entries",
                expected="the entries of exactly one exchange",
            )
        self.name, self.worker = planned[0].exchange, planned[0].worker
        self.planned = cast(ExchangePlanned, planned[0].record)
        self.plan = Plan.from_json(self.planned.plan)
        self.nodes = {"server": self.planned.server, "client": self.planned.client}
        self._began_s = planned[0].at_s if began_s is None else began_s
        self.mates: tuple[Exchange, ...] = (self,)
        self._clocks = {r.node: r for e in entries if isinstance(r := e.record, ClockMeasured)}
        self._seen: dict[type[Record], list[Seen[Any]]] = {}
        for entry in entries:
            if isinstance(entry.record, Progress):  # a thread of its own says it, even if all hangs
                continue
            seen = Seen(entry.record, self._when(entry))
            self._seen.setdefault(type(entry.record), []).append(seen)
        self._sockets = {
            (s.record.role, s.record.channel): s.record.sockets for s in self.seen(ChannelSockets)
        }
        if self.plan.program:
            told = {s.record.role: s.record for s in self.seen(ProgramSockets)}
            self._sockets = by_channel(self.plan, self.planned.nics, told)
        self._last_s = max(e.at_s for e in entries) - self._began_s

    def seen(self, kind: type[R], **where: object) -> list[Seen[R]]:
        """All records of `kind` whose fields equal `where`, in the order of the journal."""
        return [
            s
            for s in self._seen.get(kind, ())
            if all(getattr(s.record, name) == value for name, value in where.items())
        ]

    def first(self, kind: type[R], **where: object) -> Seen[R] | None:
        return next(iter(self.seen(kind, **where)), None)

    def last(self, kind: type[R], **where: object) -> Seen[R] | None:
        return next(reversed(self.seen(kind, **where)), None)

    def sockets(self, role: str, channel: int) -> tuple[SocketSeen, ...]:
        """A channel's sockets as its role read them from the kernel before closing them; those of a
        program are dealt out to channels by their NICs."""
        return self._sockets.get((role, channel), ())

    @property
    def gpu(self) -> int:
        """Its GPU where that tells it from its mates; else -1."""
        return self.plan.gpu if self.planned.mesh else -1

    @property
    def together_bytes(self) -> int:
        """Payload of all exchanges that ran at the same time."""
        return sum(mate.plan.total_bytes for mate in self.mates)

    def signs_of_life(self, role: str) -> list[float]:
        """When `role` was heard, its death note left out."""
        return [
            s.at_s
            for kind, all_seen in self._seen.items()
            if kind is not RoleExited
            for s in all_seen
            if getattr(s.record, "role", "") == role
        ]

    def nics(self, role: str) -> tuple[str, ...]:
        """The data NICs of the role's node, in channel order."""
        return tuple(self.planned.nics.get(role, ()))

    def nic(self, role: str, channel: int) -> str:
        """The NIC that `channel` should use there; '' when none was planned, as where a program
        spreads its bytes by itself."""
        nics = () if self.plan.rails else self.nics(role)
        return nics[channel % len(nics)] if nics else ""

    def rails(self, role: str) -> tuple[str, ...]:
        """The NICs that a program there was given to spread its bytes over."""
        return self.nics(role)[: self.plan.rails]

    def roles_on(self, node: str) -> tuple[str, ...]:
        return tuple(role for role in ROLES if self.nodes[role] == node)

    def channel_bytes(self, channel: int) -> int:
        """Payload that `channel` should carry, all iterations; where chunks are dealt the plan does
        not know, and it is what the client says that it sent there."""
        if not self.plan.is_dealt:
            return self.plan.channel_bytes(channel) * self.plan.iterations
        done = self.last(ChannelDone, role="client", channel=channel)
        return done.record.bytes if done else 0

    @property
    def ended_s(self) -> float:
        """When the exchange ended, or the last that was seen of it."""
        ended = self.last(ExchangeEnded)
        return ended.at_s if ended else self._last_s

    @property
    def gb_s(self) -> float:
        """Payload delivered per second, 1e9 bytes, by the client's clock: from its first post to
        the server's word that all is verified."""
        if self.plan.program:
            return self._said_gb_s("server") or self._said_gb_s("client")
        done = [s.record for s in self.seen(IterationDone, role="client")]
        if not done:
            return 0.0
        elapsed_s = max(d.ended_s for d in done) - min(d.started_s for d in done)
        return sum(d.bytes for d in done) / elapsed_s / 1e9 if elapsed_s > 0 else 0.0

    def _said_gb_s(self, role: str) -> float:
        """What a program moved in the time that its slowest process says it took. Its processes'
        rates do not add up: nobody says that all of them ran at the same time."""
        started = self.last(ProgramStarted, role=role)
        times = {s.record.process: s.record.value for s in self._said(role, "average_s")}
        times_s = [each * self.plan.iterations for each in times.values()]
        times_s += {s.record.process: s.record.value for s in self._said(role, "total_s")}.values()
        if started is None or not times_s or max(times_s) <= 0:
            return 0.0
        told = {s.record.process: s.record.value for s in self._said(role, "total_bytes")}
        return (sum(told.values()) or started.record.due_bytes) / max(times_s) / 1e9

    def _said(self, role: str, what: str) -> list[Seen[ProgramSaid]]:
        return self.seen(ProgramSaid, role=role, what=what)

    def clock_bound_s(self) -> float:
        """Events of two nodes closer than this have no known order."""
        return sum(clock.bound_s for clock in self._clocks.values())

    def on_our_clock(self, node: str, own_s: float, *, heard_s: float) -> float:
        """A node's time in seconds since the exchange began; `heard_s` where that is not known."""
        clock = self._clocks.get(node)
        if not own_s or clock is None:
            return heard_s
        # Nothing is heard before it happened: a node's time later than ours is the bound's fault.
        return min(own_s - clock.offset_s - self._began_s, heard_s)

    def _when(self, entry: Entry) -> float:
        own_s = getattr(entry.record, "at_s", 0.0)
        node = getattr(entry.record, "node", "")
        return self.on_our_clock(node, own_s, heard_s=entry.at_s - self._began_s)
