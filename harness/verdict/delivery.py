"""Bytes of the plan = bytes both roles claim = bytes unpacked and verified, channel by channel.

Where chunks are dealt to channels: bytes sent on a channel = bytes received there, and all channels
together what the plan says (see ledger.py).

Nothing here is a threshold: one byte or one chunk off is a broken ledger. A role that says it
ended every iteration is held to the plan's totals; of one that did not, the iteration is named,
because an average over the others would hide it.
"""

from __future__ import annotations

from harness.evidence import ChannelDone, IterationDone, Judged
from harness.verdict.exchange import ROLES, Exchange
from harness.verdict.finding import breaks, counted, holds
from harness.verdict.ledger import ALL, VERIFIED, lines

CLAIM = "delivery"


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
    ended = {(s.record.role, s.record.iteration) for s in exchange.seen(IterationDone)}
    for iteration in range(total):
        for role in ROLES:
            if (role, iteration) not in ended:
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
    ledger = list(lines(exchange))
    wrong = next((line for line in ledger if line.seen != line.expected), None)
    if wrong is None:
        return None
    verified = [line for line in ledger if line.what == VERIFIED]
    unlooked = wrong in verified and not any(line.seen for line in verified)
    fact = f"the {wrong.role} has {wrong.seen:,} {wrong.what}, the {wrong.by} {wrong.expected:,}"
    return breaks(
        exchange,
        CLAIM,
        "UNVERIFIED" if unlooked else "LEDGER",
        f"{fact}; no byte of any channel was verified" if unlooked else fact,
        at_s=wrong.at_s,
        node=exchange.nodes[wrong.role],
        nic="" if wrong.channel == ALL else exchange.nic(wrong.role, wrong.channel),
        channel=wrong.channel,
        checked=len(ledger),
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
    return holds(exchange, CLAIM, checked=len(list(lines(exchange))) + iterations, fact=fact)


def _account(exchange: Exchange) -> list[str]:
    """What each role said of each channel, for people."""
    return [
        f"{d.role} channel {d.channel}: {d.bytes:,} bytes, {d.chunks:,} chunks, "
        f"{d.bytes_verified:,} bytes verified"
        for s in exchange.seen(ChannelDone)
        for d in [s.record]
    ]
