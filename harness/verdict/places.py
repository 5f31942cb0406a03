"""Where every source puts every channel: the material of the mapping.

A source is the channel's sockets (bound device, owner of the local address), the observer's own
list of sockets, the handle's address, the other side's sockets, and last the role's own words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.evidence import ChannelMapped, SocketSeen, SocketsSeen
from harness.verdict.exchange import ROLES, Exchange

PEER = {"server": "client", "client": "server"}
Ends = tuple[str, int, str, int]

BOUND = "its socket is bound to"
OWNED = "its socket's address is of"
OBSERVED = "the observer saw it on"
SAID = "the role says"
HANDLE = "its handle says"
PAIRED = "its socket is connected to"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one source puts one channel of one role."""

    role: str
    channel: int
    source: str
    expected: str
    actual: str

    @property
    def wrong(self) -> bool:
        return self.actual != self.expected


def places(exchange: Exchange) -> Iterator[Place]:
    """All that any source says of where any channel is, channel by channel."""
    observed = {role: _observed(exchange, role) for role in ROLES}
    for channel in range(exchange.plan.channels):
        for role in ROLES:
            expected = exchange.nic(role, channel)
            for source, actual in _nics(exchange, role, channel, observed[role]):
                yield Place(
                    role=role, channel=channel, source=source, expected=expected, actual=actual
                )
            for source, wanted, actual in _addresses(exchange, role, channel):
                yield Place(
                    role=role, channel=channel, source=source, expected=wanted, actual=actual
                )


def _nics(
    exchange: Exchange, role: str, channel: int, observed: dict[Ends, SocketSeen]
) -> Iterator[tuple[str, str]]:
    """Each source's NIC. A socket that nobody bound is where its address is."""
    for socket in exchange.sockets(role, channel):
        if socket.bound_device:
            yield BOUND, socket.bound_device
        if socket.nic:
            yield OWNED, socket.nic
        if seen := observed.get(socket.ends):
            yield OBSERVED, seen.bound_device or seen.nic
    for mapped in exchange.seen(ChannelMapped, role=role, channel=channel):
        yield SAID, mapped.record.nic


def _addresses(exchange: Exchange, role: str, channel: int) -> Iterator[tuple[str, str, str]]:
    """The handle's address is the server's end, and each socket's peer is the same channel's."""
    sockets = exchange.sockets(role, channel)
    for mapped in exchange.seen(ChannelMapped, role=role, channel=channel):
        for s in sockets:
            server = s.local_address if role == "server" else s.peer_address
            yield HANDLE, server, mapped.record.handle_address
    theirs = {f"{s.local_address}:{s.local_port}" for s in exchange.sockets(PEER[role], channel)}
    for s in sockets if theirs else ():
        peer = f"{s.peer_address}:{s.peer_port}"
        yield PAIRED, peer if peer in theirs else " or ".join(sorted(theirs)), peer


def _observed(exchange: Exchange, role: str) -> dict[Ends, SocketSeen]:
    """The observer's sightings on the role's node by both ends."""
    return {
        socket.ends: socket
        for seen in exchange.seen(SocketsSeen, node=exchange.nodes[role])
        for socket in seen.record.sockets
    }
