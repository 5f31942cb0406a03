"""The ledger: every figure of the roles beside what it should be, and who says so.

With round-robin that is the plan, channel by channel. Where chunks are dealt the plan knows only
the sum; a channel's figure is then held to the other role's of the same channel, and all channels
of a role together to the plan. Of two roles that differ, one whose sum is off is named first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.evidence import ChannelDone, IterationDone
from harness.verdict.exchange import ROLES, Exchange, Seen

OTHER = {"server": "client", "client": "server"}
ALL = -1  # the channel of a line that is about all of them
VERIFIED = "bytes verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the ledger: a figure of one role, and what `by` says that it is."""

    role: str
    channel: int
    what: str
    seen: int
    expected: int
    by: str = "plan"
    at_s: float


def lines(exchange: Exchange) -> Iterator[Line]:
    """The whole ledger; what arrived before what was verified, so that loss is named first."""
    of_channel = _dealt if exchange.plan.is_dealt else _planned
    for verified in (False, True):
        for done in _accounts(exchange):
            yield from of_channel(exchange, done, verified)
    if exchange.plan.is_dealt:
        for role in ROLES:
            yield from _sums(exchange, role)


def _accounts(exchange: Exchange) -> Iterator[Seen[ChannelDone]]:
    """Each channel's totals, of the roles that ended every iteration."""
    ended = [role for role in ROLES if _ended_all(exchange, role)]
    if exchange.plan.is_dealt:
        ended.sort(key=lambda role: _is_whole(exchange, role))
        for role in ended:
            yield from _totals(exchange, role)
        return
    for channel in range(exchange.plan.channels):
        for role in ended:
            if done := exchange.last(ChannelDone, role=role, channel=channel):
                yield done


def _planned(exchange: Exchange, done: Seen[ChannelDone], verified: bool) -> Iterator[Line]:
    chunks = exchange.plan.channel_chunks(done.record.channel) * exchange.plan.iterations
    size = exchange.channel_bytes(done.record.channel)
    return _figures(exchange, done, verified, chunks, size, "plan")


def _dealt(exchange: Exchange, done: Seen[ChannelDone], verified: bool) -> Iterator[Line]:
    by = OTHER[done.record.role]
    other = exchange.last(ChannelDone, role=by, channel=done.record.channel)
    if other is None or not _ended_all(exchange, by):
        return iter(())
    return _figures(exchange, done, verified, other.record.chunks, other.record.bytes, by)


def _figures(
    exchange: Exchange, done: Seen[ChannelDone], verified: bool, chunks: int, size: int, by: str
) -> Iterator[Line]:
    record = done.record
    wanted = [("chunks", record.chunks, chunks), ("bytes", record.bytes, size)]
    if verified:
        wanted = [(VERIFIED, record.bytes_verified, size)] if record.role == "server" else []
    for what, seen, expected in wanted:
        yield Line(
            role=record.role,
            channel=record.channel,
            what=what,
            seen=seen,
            expected=expected,
            by=by,
            at_s=_when(exchange, done, verified),
        )


def _sums(exchange: Exchange, role: str) -> Iterator[Line]:
    """All channels of a role together."""
    if not _ended_all(exchange, role) or not (dones := _totals(exchange, role)):
        return
    plan = exchange.plan
    figures = {
        "chunks on all channels": (sum(d.record.chunks for d in dones), plan.chunks),
        "bytes on all channels": (sum(d.record.bytes for d in dones), plan.size_bytes),
    }
    at_s = max(done.at_s for done in dones)
    for what, (seen, each) in figures.items():
        expected = each * plan.iterations
        yield Line(role=role, channel=ALL, what=what, seen=seen, expected=expected, at_s=at_s)


def _is_whole(exchange: Exchange, role: str) -> bool:
    return all(line.seen == line.expected for line in _sums(exchange, role))


def _totals(exchange: Exchange, role: str) -> list[Seen[ChannelDone]]:
    """The last word of `role` on each of its channels."""
    said = [exchange.last(ChannelDone, role=role, channel=c) for c in range(exchange.plan.channels)]
    return [done for done in said if done]


def _ended_all(exchange: Exchange, role: str) -> bool:
    ended = {s.record.iteration for s in exchange.seen(IterationDone, role=role)}
    return len(ended) == exchange.plan.iterations


def _when(exchange: Exchange, done: Seen[ChannelDone], verified: bool) -> float:
    """A loss happened by the channel's last chunk; verification is added up when it is told."""
    if verified:
        return done.at_s
    record = done.record
    return exchange.on_our_clock(record.node, record.ended_s, heard_s=done.at_s)
