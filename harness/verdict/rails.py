"""A program that spreads its bytes over several NICs by itself used those it was given.

It says nothing of where its bytes went, so nobody's word is asked: only what the kernel counted on
the program's own sockets, on both nodes, and what the NICs counted. All of the payload went through
those sockets and no other way, none of them is on another NIC, and each rail carried its part. What
the part is, is the program's affair, within a wide band. A READ of NIXL over UCX comes back on one
connection whatever it is given, so of its rails only the sum is held to anything; no other backend
is known to do so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.evidence import Judged, SocketSeen, SocketsSeen
from harness.verdict.carried import Load, moved, not_carried
from harness.verdict.counters import nic_of
from harness.verdict.exchange import ROLES, Exchange
from harness.verdict.finding import breaks, counted, holds
from harness.verdict.limits import LIMITS
from harness.verdict.links import broken_link
from harness.verdict.mapping import blind

CLAIM = "rails"
CHANNEL = 0  # the program's one connection, whose sockets are all that it has
ON_ONE_RAIL = frozenset({("UCX", "nixl-read")})  # backend and exercise


@dataclass(frozen=True, slots=True, kw_only=True)
class Rail:
    """What a role's sockets on one NIC moved, in the direction of the transfer."""

    role: str
    nic: str
    bytes: int
    share: float


def rails(exchange: Exchange) -> Judged:
    return (
        _not_there(exchange)
        or broken_link(exchange, CLAIM)
        or _unseen(exchange)
        or _astray(exchange)
        or _another_way(exchange)
        or not_carried(exchange, CLAIM, _loads(exchange))
        or _idle(exchange)
        or blind(exchange, CLAIM, {role for role in ROLES if _observed(exchange, role)})
        or _proven(exchange)
    )


def _not_there(exchange: Exchange) -> Judged | None:
    """Rails that a node has no NICs for: nothing can be said of them."""
    planned = exchange.plan.rails
    for role in ROLES:
        if planned > (known := len(exchange.nics(role))):
            fact = f"{counted(planned, 'rail')} planned, the inventory gives {known} data NICs"
            return _red(exchange, role, "INVENTORY", fact)
    return None


def _unseen(exchange: Exchange) -> Judged | None:
    """A role without sockets, or a node whose observer never listed any."""
    for role in ROLES:
        node = exchange.nodes[role]
        if not exchange.sockets(role, CHANNEL):
            return _red(exchange, role, "NO_EVIDENCE", f"nothing is known of the {role}'s sockets")
        if not exchange.seen(SocketsSeen, node=node):
            fact = "the observer never listed the node's sockets"
            return _red(exchange, role, "NO_EVIDENCE", fact)
    return None


def _astray(exchange: Exchange) -> Judged | None:
    """The first socket that is on no rail."""
    for role in ROLES:
        given = exchange.rails(role)
        for socket in exchange.sockets(role, CHANNEL):
            if (nic := nic_of(socket)) not in given:
                klass = "LOOPBACK" if nic == "lo" else "MAPPING"
                fact = f"expected {' or '.join(given)}, but {_words(socket)} is on {nic or '?'}"
                return _red(exchange, role, klass, fact, nic)
    return None


def _another_way(exchange: Exchange) -> Judged | None:
    """Payload that no socket carried: two processes of one machine have shorter ways."""
    payload = exchange.plan.total_bytes
    for role in ROLES:
        total = sum(rail.bytes for rail in _rails(exchange, role))
        if total < payload:
            fact = f"its sockets moved {total:,} bytes, the payload is {payload:,}"
            return _red(exchange, role, "TRAFFIC", f"{fact}: the rest took another way than TCP")
    return None


def _idle(exchange: Exchange) -> Judged | None:
    """The first rail that did less than its part."""
    if (exchange.plan.backend, exchange.plan.exercise) in ON_ONE_RAIL:
        return None
    least = LIMITS.rail_share / exchange.plan.rails
    for role in ROLES:
        found = _rails(exchange, role)
        used = [rail.nic for rail in found if rail.share >= least]
        for rail in found:
            if rail.share < least:
                alone = f"; all is on {used[0]}: NO_PARALLELISM" if len(used) == 1 else ""
                fact = f"{rail.share:.1%} of the bytes, expected at least {least:.1%}{alone}"
                return _red(exchange, role, "MAPPING", fact, rail.nic)
    return None


def _proven(exchange: Exchange) -> Judged:
    found = [rail for role in ROLES for rail in _rails(exchange, role)]
    busy = {rail.nic for rail in found if rail.role == "client" and rail.share >= 0.01}
    seen = {role: _observed(exchange, role) for role in ROLES}
    total = sum(len(exchange.sockets(role, CHANNEL)) for role in ROLES)
    fact = (
        f"{counted(total, 'socket')} on {counted(exchange.plan.rails, 'rail')} carried all of the "
        f"payload, {len(busy)} of them with 1% or more; "
        f"the observers saw {sum(seen.values())} of the sockets"
    )
    lines = [
        f"{exchange.nodes[rail.role]}/{rail.nic}: {rail.bytes:,} bytes, {rail.share:.1%}"
        for rail in found
    ]
    return holds(exchange, CLAIM, checked=total + len(found), fact=fact, evidence=lines)


def _observed(exchange: Exchange, role: str) -> int:
    """How many of the role's sockets its node's observer has seen as well."""
    seen = {
        socket.ends
        for seen in exchange.seen(SocketsSeen, node=exchange.nodes[role])
        for socket in seen.record.sockets
    }
    return sum(socket.ends in seen for socket in exchange.sockets(role, CHANNEL))


def _rails(exchange: Exchange, role: str) -> list[Rail]:
    """Each NIC that the role was given, with what the sockets on it moved."""
    moved_by = dict.fromkeys(exchange.rails(role), 0)
    for socket in exchange.sockets(role, CHANNEL):
        moved_by[nic_of(socket)] = moved_by.get(nic_of(socket), 0) + moved(role, socket)
    total = max(sum(moved_by.values()), 1)
    return [
        Rail(role=role, nic=nic, bytes=size, share=size / total) for nic, size in moved_by.items()
    ]


def _loads(exchange: Exchange) -> Iterator[Load]:
    for role in ROLES:
        for rail in _rails(exchange, role):
            yield Load(role=role, nic=rail.nic, channel=-1, bytes=rail.bytes)


def _words(socket: SocketSeen) -> str:
    return f"{socket.local_address}:{socket.local_port} to {socket.peer_address}:{socket.peer_port}"


def _red(exchange: Exchange, role: str, klass: str, fact: str, nic: str = "") -> Judged:
    at_s = exchange.ended_s
    return breaks(exchange, CLAIM, klass, fact, at_s=at_s, node=exchange.nodes[role], nic=nic)
