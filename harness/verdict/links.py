"""The planned NICs are there and up. Without that, nothing said of a channel means anything."""

from __future__ import annotations

from harness.evidence import Judged, NicCount, NicCounters
from harness.verdict.exchange import ROLES, Exchange, Seen
from harness.verdict.finding import breaks


def broken_link(exchange: Exchange, claim: str) -> Judged | None:
    """The first planned NIC that is missing, or that should be used and is down."""
    for role in ROLES:
        node = exchange.nodes[role]
        for seen in exchange.seen(NicCounters, node=node):
            if seen.record.phase != "sample":  # a sample has neither all NICs nor their state
                found = _look(exchange, claim, role, seen)
                if found is not None:
                    return found
    return None


def _look(exchange: Exchange, claim: str, role: str, seen: Seen[NicCounters]) -> Judged | None:
    nics = {nic.name: nic for nic in seen.record.nics}
    for index, name in enumerate(exchange.nics(role)):
        used = index < (exchange.plan.rails or exchange.plan.channels)
        channel = index if used and not exchange.plan.rails else -1
        klass, fact = _wrong(name, nics, used=used)
        if klass:
            return breaks(
                exchange,
                claim,
                klass,
                fact,
                at_s=seen.at_s,
                node=seen.record.node,
                nic=name,
                channel=channel,
            )
    return None


def _wrong(name: str, nics: dict[str, NicCount], *, used: bool) -> tuple[str, str]:
    if name not in nics:
        return "INVENTORY", f"the inventory names a NIC that the node lacks; it has {sorted(nics)}"
    if used and not nics[name].up:
        return "LINK_DOWN", "the NIC is down"
    return "", ""
