"""Every other NIC, and lo, stayed flat: the negative half of the mapping.

Other NICs are those that no exchange of a mesh uses; bands and shares are those of all together.

What a NIC did in the idle baseline it may go on doing, within a band. Beyond the band, bytes that
make a channel's worth are a channel's: on lo it never left the node, elsewhere it strayed. Anything
else is foreign load, and so is a NIC that was busy before we began.
"""

from __future__ import annotations

from harness.evidence import Judged, NicCounters
from harness.verdict.counters import Rise, rises, taken_nics
from harness.verdict.exchange import Exchange
from harness.verdict.finding import breaks, holds
from harness.verdict.limits import LIMITS

CLAIM = "quiet"


def quiet(exchange: Exchange) -> Judged:
    others: list[Rise] = []
    for node in sorted(set(exchange.nodes.values())):
        known = rises(exchange, node)
        if not any(rise.nic == "lo" for rise in known):
            fact = "there are no idle and settled readings of lo"
            at_s = exchange.ended_s
            return breaks(exchange, CLAIM, "COUNTER", fact, at_s=at_s, node=node, nic="lo")
        used = taken_nics(exchange, node)
        others += [rise for rise in known if rise.nic not in used]
    found = [f for rise in others if (f := _judge(exchange, rise))]
    if found:
        return next((f for f in found if f.outcome == "FAIL"), found[0])
    loudest = max(others, key=lambda rise: rise.bytes / _band(exchange, rise))
    fact = (
        f"{len(others) // 2} other NICs stayed flat; the loudest was {loudest.place} "
        f"{loudest.bytes:,} bytes of at most {_band(exchange, loudest):,}"
    )
    return holds(exchange, CLAIM, checked=len(others), fact=fact)


def _judge(exchange: Exchange, rise: Rise) -> Judged | None:
    band = _band(exchange, rise)
    klass, fact = _wrong(exchange, rise, band)
    if not klass:
        return None
    return breaks(
        exchange,
        CLAIM,
        klass,
        f"{rise.bytes:,} bytes {rise.direction}, expected at most {band:,}: {fact}",
        at_s=rise.at_s,
        node=rise.node,
        nic=rise.nic,
    )


def _wrong(exchange: Exchange, rise: Rise, band: int) -> tuple[str, str]:
    beyond = rise.bytes - rise.idle_bytes
    if rise.bytes < 0:
        return "COUNTER", "the counter went backwards"
    if max(beyond, rise.idle_bytes) <= band:
        return "", ""
    if beyond <= band:
        return "FOREIGN_LOAD", "the NIC was busy before the exchange began"
    if not _worth_a_channel(exchange, beyond):
        share = beyond / max(exchange.together_bytes, 1)
        return "FOREIGN_LOAD", f"somebody else's, {share:.1%} of the exchange"
    if rise.nic == "lo":
        return "LOOPBACK", "as much as a channel carries never left the node"
    return "STRAY", "as much as a channel carries, and no channel belongs here"


def _band(exchange: Exchange, rise: Rise) -> int:
    share = round(LIMITS.quiet_share * exchange.together_bytes)
    if rise.nic not in _management(exchange, rise.node):
        return max(LIMITS.slack_bytes, share)
    began = exchange.first(NicCounters, node=rise.node)
    duration_s = rise.at_s - began.at_s if began else 0.0
    share += sum(LIMITS.grant_bytes * _grants(mate) for mate in exchange.mates)
    return LIMITS.management_bytes + share + round(LIMITS.management_bytes_per_s * duration_s)


def _grants(exchange: Exchange) -> int:
    """Grants that the server sends over the management NICs: one for every chunk that is dealt."""
    plan = exchange.plan
    return plan.chunks * plan.iterations if plan.is_dealt else 0


def _management(exchange: Exchange, node: str) -> set[str]:
    return {exchange.planned.management.get(role, "") for role in exchange.roles_on(node)}


def _worth_a_channel(exchange: Exchange, count: int) -> bool:
    """Whether `count` bytes could be a channel's: not much less, nor more than the exchange has."""
    least = LIMITS.channel_share * min(map(_channel_bytes, exchange.mates))
    return least <= count <= LIMITS.exchange_times * exchange.together_bytes


def _channel_bytes(exchange: Exchange) -> int:
    """What its least channel carried; an even share where nobody said."""
    carried = [exchange.channel_bytes(c) for c in range(exchange.plan.channels)]
    even = exchange.plan.total_bytes // exchange.plan.channels
    return min(filter(None, carried), default=even)
