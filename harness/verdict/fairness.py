"""Every NIC carried its share of the chunks.

The shares are what round-robin gives by the plan; what was carried is what the NIC counted. The
tolerance is one percent of the exchange or one chunk, whichever is more: a small exchange has few.
A NIC that several exchanges of a mesh share has the shares of all of them; while one of them told
nothing of its sockets, nobody else is to blame for wrong ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.evidence import Judged
from harness.verdict.carried import DIRECTION
from harness.verdict.counters import rises
from harness.verdict.exchange import ROLES, Exchange
from harness.verdict.finding import breaks, holds
from harness.verdict.limits import LIMITS
from harness.verdict.traffic import silent_mates

CLAIM = "fairness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One NIC's part of an exchange."""

    role: str
    nic: str
    planned: float
    carried: float
    at_s: float

    @property
    def off(self) -> float:
        return abs(self.carried - self.planned)


def fairness(exchange: Exchange) -> Judged:
    shares = [share for role in ROLES for share in _shares(exchange, role)]
    plan = exchange.plan
    nics = sum(len(_planned(exchange, role)) for role in ROLES)
    if len(shares) != nics:
        fact = f"counters tell of {len(shares)} of {nics} NICs"
        return breaks(exchange, CLAIM, "COUNTER", fact, at_s=exchange.ended_s)
    allowed = max(LIMITS.fair_share, plan.chunk_bytes / exchange.together_bytes)
    lines = [
        f"{exchange.nodes[s.role]}/{s.nic}: {s.carried:.2%} carried, {s.planned:.2%} planned"
        for s in shares
    ]
    least_fair = max(shares, key=lambda s: s.off)
    if least_fair.off > allowed:
        node = exchange.nodes[least_fair.role]
        klass, why = _blame(exchange, node)
        return breaks(
            exchange,
            CLAIM,
            klass,
            f"{least_fair.carried:.2%} of the bytes, expected {least_fair.planned:.2%} "
            f"within {allowed:.2%}{why}",
            at_s=least_fair.at_s,
            node=node,
            nic=least_fair.nic,
            checked=len(shares),
            evidence=lines,
        )
    fact = f"{nics} NICs carried their shares; the farthest is off by {least_fair.off:.3%}"
    return holds(exchange, CLAIM, checked=len(shares), fact=fact, evidence=lines)


def _blame(exchange: Exchange, node: str) -> tuple[str, str]:
    """The class of wrong shares, and whose they may be: a silent mate's may be all that lacks."""
    silent = ", ".join(f"GPU {mate.gpu}" for mate in silent_mates(exchange, node))
    if silent:
        return "NO_EVIDENCE", f"; it may be for {silent}, whose sockets nobody told"
    return "FAIRNESS", ""


def _shares(exchange: Exchange, role: str) -> list[Share]:
    """Planned and counted share of every NIC of the role; empty when nothing was counted."""
    planned = _planned(exchange, role)
    carried = {
        rise.nic: rise
        for rise in rises(exchange, exchange.nodes[role])
        if rise.nic in planned and rise.direction == DIRECTION[role]
    }
    total = sum(rise.bytes for rise in carried.values())
    if total <= 0:
        return []
    return [
        Share(
            role=role,
            nic=nic,
            planned=planned[nic] / exchange.together_bytes,
            carried=rise.bytes / total,
            at_s=rise.at_s,
        )
        for nic, rise in sorted(carried.items())
    ]


def _planned(exchange: Exchange, role: str) -> dict[str, int]:
    """NIC -> what all channels that should use it should carry."""
    planned: dict[str, int] = {}
    for mate in exchange.mates:
        for channel in range(mate.plan.channels):
            nic = mate.nic(role, channel)
            planned[nic] = planned.get(nic, 0) + mate.channel_bytes(channel)
    return planned
