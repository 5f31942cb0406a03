"""Every NIC's counters rose by what its sockets explain, both directions, on both nodes.

The band is narrow: payload of the sockets, one header for each packet that the NIC counted, and a
small slack for what is not TCP. Less than that means that bytes took another way; more means that
somebody else was on the NIC, and then nothing measured here is ours alone; unless a mate of the
exchange told nothing of its sockets: then it may have been that mate, and nothing is known.
"""

from __future__ import annotations

from harness.evidence import Judged, SocketSeen
from harness.verdict.counters import Band, Rise, elsewhere, explained, nic_of, rises, used_nics
from harness.verdict.exchange import ROLES, Exchange
from harness.verdict.finding import breaks, counted, holds
from harness.verdict.program.missed import missed

CLAIM = "traffic"


def traffic(exchange: Exchange) -> Judged:
    if found := missed(exchange, CLAIM) or _unknown(exchange):
        return found
    used = [r for node in _nodes(exchange) for r in _used(exchange, node)]
    found_all = [f for rise in used if (f := _judge(exchange, rise))]
    if found_all:
        return next((f for f in found_all if f.outcome == "FAIL"), found_all[0])
    fact = (
        f"{counted(len(used) // 2, 'NIC')} carried {sum(r.bytes for r in used):,} bytes, "
        "both directions; "
        "all of it is explained by the channels' sockets and their packets' headers"
    )
    return holds(
        exchange,
        CLAIM,
        checked=2 * len(used),
        fact=fact,
        evidence=[_line(r, explained(exchange, r)) for r in used],
    )


def _unknown(exchange: Exchange) -> Judged | None:
    """A channel that is on no NIC, or a NIC without readings: there is nothing to compare."""
    for channel in range(exchange.plan.channels):
        for role in ROLES:
            nics = {nic_of(socket) for socket in _known(exchange, role, channel)}
            if not nics or nics & {"", "lo"}:
                klass = "LOOPBACK" if "lo" in nics else "NO_EVIDENCE"
                fact = f"the {role}'s sockets are on {sorted(nics) or 'no NIC that is known'}"
                nic = "lo" if "lo" in nics else exchange.nic(role, channel)
                return _open(exchange, klass, fact, exchange.nodes[role], nic, channel)
    for node in _nodes(exchange):
        known = {rise.nic for rise in rises(exchange, node)}
        for nic in sorted(used_nics(exchange, node) - known):
            fact = "the NIC has no idle and settled readings"
            return _open(exchange, "COUNTER", fact, node, nic)
    return None


def _known(exchange: Exchange, role: str, channel: int) -> list[SocketSeen]:
    """The channel's sockets; of a program, whose sockets name no channel, all on the same NIC."""
    channels = range(channel, channel + 1)
    if exchange.plan.program:
        nics = len(exchange.nics(role))
        channels = range(channel % nics, exchange.plan.channels, nics)
    return [socket for c in channels for socket in exchange.sockets(role, c)]


def _open(
    exchange: Exchange, klass: str, fact: str, node: str, nic: str, channel: int = -1
) -> Judged:
    at_s = exchange.ended_s
    return breaks(exchange, CLAIM, klass, fact, at_s=at_s, node=node, nic=nic, channel=channel)


def _used(exchange: Exchange, node: str) -> list[Rise]:
    used = used_nics(exchange, node)
    return [rise for rise in rises(exchange, node) if rise.nic in used]


def _judge(exchange: Exchange, rise: Rise) -> Judged | None:
    band = explained(exchange, rise)
    klass, fact = _wrong(exchange, rise, band)
    if not klass:
        return None
    return breaks(
        exchange,
        CLAIM,
        klass,
        fact,
        at_s=rise.at_s,
        node=rise.node,
        nic=rise.nic,
        channel=_channel(exchange, rise),
        evidence=[_line(r, explained(exchange, r)) for r in rises(exchange, rise.node)],
    )


def _wrong(exchange: Exchange, rise: Rise, band: Band) -> tuple[str, str]:
    """The class and the fact of a rise outside its band; empty for one inside."""
    fact = f"{rise.bytes:,} bytes {rise.direction}, the sockets explain {band.least:,}"
    if rise.bytes < 0:
        return "COUNTER", f"{fact}: the counter went backwards"
    if rise.bytes > band.most:
        share = (rise.bytes - band.most) / rise.bytes
        if silent := silent_mates(exchange, rise.node):
            words = ", ".join(f"GPU {mate.gpu}" for mate in silent)
            unknown = f"{share:.1%} may be of {words}, whose sockets nobody told"
            return "NO_EVIDENCE", f"{fact} to {band.most:,}: {unknown}"
        return "FOREIGN_LOAD", f"{fact} to {band.most:,}: {share:.1%} is somebody else's"
    if rise.bytes >= band.least:
        return "", ""
    if other := elsewhere(exchange, rise, band.least - rise.bytes):
        return "TRAFFIC", f"{fact}; {other}"
    if rise.bytes == 0 and rise.packets == 0:
        return "COUNTER", f"{fact}: the counter stood still{_peers_view(exchange, rise)}"
    return "TRAFFIC", fact


def silent_mates(exchange: Exchange, node: str) -> list[Exchange]:
    """Exchanges at the same time whose roles there told nothing of a channel's sockets."""
    return [
        mate
        for mate in exchange.mates
        if mate is not exchange
        and not all(
            mate.sockets(role, channel)
            for role in mate.roles_on(node)
            for channel in range(mate.plan.channels)
        )
    ]


def _peers_view(exchange: Exchange, rise: Rise) -> str:
    """What the other end of the same channels counted, since one of the two must be wrong."""
    channel = _channel(exchange, rise)
    for role in ROLES:
        node = exchange.nodes[role]
        wanted = (exchange.nic(role, channel), _OTHER[rise.direction])
        for other in rises(exchange, node) if node != rise.node and channel >= 0 else ():
            if (other.nic, other.direction) == wanted:
                return f", while {other.place} {other.bytes:,}"
    return ""


_OTHER = {"sent": "received", "received": "sent"}


def _channel(exchange: Exchange, rise: Rise) -> int:
    """The channel of a NIC that has but one; -1 when several share it."""
    on_nic = {
        channel
        for role in exchange.roles_on(rise.node)
        for channel in range(exchange.plan.channels)
        if exchange.nic(role, channel) == rise.nic
    }
    return on_nic.pop() if len(on_nic) == 1 else -1


def _nodes(exchange: Exchange) -> list[str]:
    return sorted(set(exchange.nodes.values()))


def _line(rise: Rise, band: Band) -> str:
    return (
        f"{rise.place} {rise.bytes:,} bytes in {rise.packets:,} packets, "
        f"explained {band.least:,} to {band.most:,}"
    )
