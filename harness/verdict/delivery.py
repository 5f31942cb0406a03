"""Bytes of the plan = bytes both roles claim = bytes unpacked and verified, channel by channel.

Nothing here is a threshold: one byte or one chunk off is a broken ledger. A role that says it
ended every iteration is held to the plan's totals; of one that did not, the iteration is named,
because an average over the others would hide it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.evidence import ChannelDone, IterationDone, Judged
from harness.verdict.exchange import ROLES, Exchange, Seen
from harness.verdict.finding import breaks, counted, holds

CLAIM = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the ledger: a figure of one role, and the plan's."""

    role: str
    channel: int
    what: str
    seen: int
    planned: int
    at_s: float


def delivery(exchange: Exchange) -> Judged:
    if not exchange.seen(ChannelDone) and not exchange.seen(IterationDone):
        fact = "neither role accounted for a single byte"
        return breaks(exchange, CLAIM, "NO_EVIDENCE", fact, at_s=exchange.ended_s)
    return (
        _wrong_channel(exchange)
        or _unended(exchange)
        or _silence(exchange)
        or _wrong_iteration(exchange)
        or _whole(exchange)
    )


def _unended(exchange: Exchange) -> Judged | None:
    """The first iteration that a role never ended."""
    total = exchange.plan.iterations
    for iteration in range(total):
        for role in ROLES:
            if not exchange.seen(IterationDone, role=role, iteration=iteration):
                return breaks(
                    exchange,
                    CLAIM,
                    "ITERATION",
                    f"the {role} never ended iteration {iteration + 1} of {total}",
                    at_s=exchange.ended_s,
                    node=exchange.nodes[role],
                    evidence=_account(exchange),
                )
    return None


def _silence(exchange: Exchange) -> Judged | None:
    """Both roles accounted for every channel."""
    for channel in range(exchange.plan.channels):
        for role in ROLES:
            if not exchange.seen(ChannelDone, role=role, channel=channel):
                return breaks(
                    exchange,
                    CLAIM,
                    "NO_EVIDENCE",
                    f"the {role} did not account for this channel",
                    at_s=exchange.ended_s,
                    node=exchange.nodes[role],
                    nic=exchange.nic(role, channel),
                    channel=channel,
                    evidence=_account(exchange),
                )
    return None


def _wrong_channel(exchange: Exchange) -> Judged | None:
    """The first channel that does not add up, or a payload that nobody looked at."""
    lines = list(_lines(exchange))
    wrong = next((line for line in lines if line.seen != line.planned), None)
    if wrong is None:
        return None
    verified = [line for line in lines if line.what == "bytes verified"]
    unlooked = wrong in verified and not any(line.seen for line in verified)
    fact = f"the {wrong.role} has {wrong.seen:,} {wrong.what}, the plan {wrong.planned:,}"
    return breaks(
        exchange,
        CLAIM,
        "UNVERIFIED" if unlooked else "LEDGER",
        f"{fact}; no byte of any channel was verified" if unlooked else fact,
        at_s=wrong.at_s,
        node=exchange.nodes[wrong.role],
        nic=exchange.nic(wrong.role, wrong.channel),
        channel=wrong.channel,
        checked=len(lines),
        evidence=_account(exchange),
    )


def _wrong_iteration(exchange: Exchange) -> Judged | None:
    """An iteration whose totals are not the plan's although the channels' are."""
    plan = exchange.plan
    for seen in exchange.seen(IterationDone):
        done = seen.record
        if (done.bytes, done.chunks) != (plan.size_bytes, plan.chunks):
            return breaks(
                exchange,
                CLAIM,
                "LEDGER",
                f"the {done.role} ended iteration {done.iteration + 1} of {plan.iterations} with "
                f"{done.bytes:,} bytes in {done.chunks:,} chunks, "
                f"the plan has {plan.size_bytes:,} in {plan.chunks:,}",
                at_s=seen.at_s,
                node=done.node,
                evidence=_account(exchange),
            )
    return None


def _whole(exchange: Exchange) -> Judged:
    plan = exchange.plan
    iterations = 2 * len(exchange.seen(IterationDone))
    fact = (
        f"{plan.total_bytes:,} bytes in {plan.chunks * plan.iterations:,} chunks on "
        f"{counted(plan.channels, 'channel')}: plan = client = server = verified"
    )
    return holds(exchange, CLAIM, checked=len(list(_lines(exchange))) + iterations, fact=fact)


def _lines(exchange: Exchange) -> Iterator[Line]:
    """The whole ledger; what arrived before what was verified, so that loss is named first."""
    accounts = [
        (done, verified)
        for verified in (False, True)
        for channel in range(exchange.plan.channels)
        for role in ROLES
        if _ended_all(exchange, role)
        and (done := exchange.last(ChannelDone, role=role, channel=channel))
    ]
    for done, verified in accounts:
        for what, seen, planned in _figures(exchange, done.record, verified):
            yield Line(
                role=done.record.role,
                channel=done.record.channel,
                what=what,
                seen=seen,
                planned=planned,
                at_s=_when(exchange, done, verified),
            )


def _ended_all(exchange: Exchange, role: str) -> bool:
    ended = {s.record.iteration for s in exchange.seen(IterationDone, role=role)}
    return len(ended) == exchange.plan.iterations


def _when(exchange: Exchange, done: Seen[ChannelDone], verified: bool) -> float:
    """A loss happened by the channel's last chunk; verification is added up when it is told."""
    if verified:
        return done.at_s
    record = done.record
    return exchange.on_our_clock(record.node, record.ended_s, heard_s=done.at_s)


def _figures(
    exchange: Exchange, done: ChannelDone, verified: bool
) -> Iterator[tuple[str, int, int]]:
    size = exchange.channel_bytes(done.channel)
    if not verified:
        chunks = exchange.plan.channel_chunks(done.channel) * exchange.plan.iterations
        yield "chunks", done.chunks, chunks
        yield "bytes", done.bytes, size
    elif done.role == "server":
        yield "bytes verified", done.bytes_verified, size


def _account(exchange: Exchange) -> list[str]:
    """What each role said of each channel, for people."""
    return [
        f"{d.role} channel {d.channel}: {d.bytes:,} bytes, {d.chunks:,} chunks, "
        f"{d.bytes_verified:,} bytes verified"
        for s in exchange.seen(ChannelDone)
        for d in [s.record]
    ]
