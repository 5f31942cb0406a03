"""Every channel's sockets are on the NIC that it should use, on both nodes.

Channel i belongs on NIC i mod n. Where it is, is read from its sockets (bound device, owner of the
local address), from the observer's own list of sockets, and from the address in the handle; what
the role says must agree, but alone proves nothing. The NIC's counters must then have carried it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from harness.evidence import (
    ChannelDone,
    ChannelMapped,
    ChannelSockets,
    Judged,
    SocketSeen,
    SocketsSeen,
)
from harness.verdict.carried import not_carried
from harness.verdict.exchange import ROLES, Exchange
from harness.verdict.finding import breaks, counted, holds
from harness.verdict.limits import LIMITS
from harness.verdict.links import broken_link
from harness.verdict.places import BOUND, OBSERVED, OWNED, SAID, Place, places

CLAIM = "mapping"


def mapping(exchange: Exchange) -> Judged:
    return (
        broken_link(exchange, CLAIM)
        or loopback(exchange, CLAIM)
        or _misplaced(exchange)
        or _unseen(exchange)
        or not_carried(exchange, CLAIM)
        or _proven(exchange)
    )


def loopback(exchange: Exchange, claim: str) -> Judged | None:
    """A channel that never leaves its node."""
    for role, channel, socket in _sockets(exchange):
        if _on_lo(socket) or exchange.nodes["server"] == exchange.nodes["client"]:
            return breaks(
                exchange,
                claim,
                "LOOPBACK",
                f"expected {exchange.nic(role, channel)}, but {_words(socket)} stays on the node",
                at_s=_since_s(exchange, role, channel),
                node=exchange.nodes[role],
                nic="lo",
                channel=channel,
            )
    return None


def _misplaced(exchange: Exchange) -> Judged | None:
    """The first channel that is not where it should be, and all the others below it."""
    found = list(places(exchange))
    wrong = [place for place in found if place.wrong]
    if not wrong:
        return None
    first = wrong[0]
    return breaks(
        exchange,
        CLAIM,
        "MAPPING",
        f"expected {first.expected}, {first.source} {first.actual}{_together(found, first.role)}",
        at_s=_since_s(exchange, first.role, first.channel),
        node=exchange.nodes[first.role],
        nic=exchange.nic(first.role, first.channel),
        channel=first.channel,
        checked=len(found),
        evidence=[
            f"{exchange.nodes[p.role]} channel {p.channel}: expected {p.expected}, "
            f"{p.source} {p.actual}"
            for p in wrong
        ],
    )


def _unseen(exchange: Exchange) -> Judged | None:
    """A channel that its sockets or its role say nothing of, or a node without an observer."""
    found = list(places(exchange))
    told = {(p.role, p.channel) for p in found if p.source in (BOUND, OWNED)}
    said = {(p.role, p.channel) for p in found if p.source == SAID}
    for channel in range(exchange.plan.channels):
        for role in ROLES:
            if (role, channel) not in told & said:
                what = "mapping" if (role, channel) in told else "sockets"
                return breaks(
                    exchange,
                    CLAIM,
                    "NO_EVIDENCE",
                    f"nothing is known of the channel's {what} on the {role}",
                    at_s=exchange.ended_s,
                    node=exchange.nodes[role],
                    nic=exchange.nic(role, channel),
                    channel=channel,
                )
    for node in exchange.nodes.values():
        if not exchange.seen(SocketsSeen, node=node):
            fact = "the observer never listed the node's sockets"
            return breaks(exchange, CLAIM, "NO_EVIDENCE", fact, at_s=exchange.ended_s, node=node)
    return None


def _proven(exchange: Exchange) -> Judged:
    found = list(places(exchange))
    by_observer = {(p.role, p.channel) for p in found if p.source == OBSERVED}
    total = 2 * exchange.plan.channels
    nics = len({exchange.nic("client", c) for c in range(exchange.plan.channels)})
    if found_blind := blind(exchange, CLAIM, {role for role, _ in by_observer}):
        return found_blind
    unseen = [
        f"the observer of {exchange.nodes[role]} was too slow to see channel {channel}"
        for channel in range(exchange.plan.channels)
        for role in ROLES
        if (role, channel) not in by_observer
    ]
    fact = (
        f"{counted(exchange.plan.channels, 'channel')} on {counted(nics, 'NIC')}, "
        f"each on its own; the observers saw {len(by_observer)} of {total} ends"
    )
    return holds(exchange, CLAIM, checked=len(found), fact=fact, evidence=unseen)


def blind(exchange: Exchange, claim: str, seen_roles: set[str]) -> Judged | None:
    """An observer that saw no end of a transfer, though it had the time, says nothing at all."""
    for role in ROLES:
        done = [s.record for s in exchange.seen(ChannelDone, role=role) if s.record.chunks]
        lasted_s = max((d.ended_s - d.started_s for d in done), default=0.0)
        if role not in seen_roles and lasted_s > LIMITS.sighting_s:
            return breaks(
                exchange,
                claim,
                "NO_EVIDENCE",
                f"the observer saw none of the {role}'s sockets in {lasted_s:.1f} s of transfer",
                at_s=exchange.ended_s,
                node=exchange.nodes[role],
            )
    return None


def _sockets(exchange: Exchange) -> Iterator[tuple[str, int, SocketSeen]]:
    for channel in range(exchange.plan.channels):
        for role in ROLES:
            for socket in exchange.sockets(role, channel):
                yield role, channel, socket


def _on_lo(socket: SocketSeen) -> bool:
    address = ipaddress.ip_address(socket.local_address)
    on_lo = "lo" in (socket.nic, socket.bound_device) or address.is_loopback
    return on_lo or socket.local_address == socket.peer_address


def _words(socket: SocketSeen) -> str:
    return f"{socket.local_address}:{socket.local_port} to {socket.peer_address}:{socket.peer_port}"


def _together(found: list[Place], role: str) -> str:
    """Whether all of a role's channels share one NIC although several were planned."""
    ours = [p for p in found if p.role == role and p.source in (BOUND, OWNED)]
    actual = {p.actual for p in ours}
    if len(actual) == 1 < len({p.expected for p in ours}):
        return f"; all channels are on {actual.pop()}: NO_PARALLELISM"
    return ""


def _since_s(exchange: Exchange, role: str, channel: int) -> float:
    """When the channel got its place: the first word about it, not the last reading of it."""
    words = [s.at_s for s in exchange.seen(ChannelMapped, role=role, channel=channel)]
    words += [s.at_s for s in exchange.seen(ChannelSockets, role=role, channel=channel)]
    return min(words, default=exchange.ended_s)
