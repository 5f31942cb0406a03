"""What a NIC's counters rose by, and what the sockets on it explain.

The baseline is the last idle reading, the end the last settled one. A socket explains at least the
payload that was sent once and received, and at most that plus what was sent again, each packet that
the NIC counted with a header. The NIC's own packet count is used because a virtual NIC counts
super-packets of up to 64 KiB where a wire counts every segment. A NIC counts for everybody: what it
rose by is held against the sockets of all exchanges that ran at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.evidence import NicCount, NicCounters, SocketSeen
from harness.verdict.exchange import ROLES, Exchange
from harness.verdict.limits import LIMITS

DIRECTIONS = ("sent", "received")
UNSEEN = SocketSeen(local_address="", local_port=0, peer_address="", peer_port=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """One direction of one NIC over the exchange. `idle_bytes` is the baseline's pace kept up."""

    node: str
    nic: str
    direction: str  # sent | received
    bytes: int
    packets: int
    idle_bytes: int
    at_s: float

    @property
    def place(self) -> str:
        return f"{self.node}/{self.nic} {self.direction}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What sockets explain of a rise, in bytes."""

    least: int
    most: int


def rises(exchange: Exchange, node: str) -> list[Rise]:
    """Both directions of every NIC of `node`, lo too; empty without a baseline and an end."""
    idle = exchange.seen(NicCounters, node=node, phase="idle")
    end = exchange.last(NicCounters, node=node, phase="settled")
    if not idle or end is None:
        return []
    first, last = _by_name(idle[0].record), _by_name(idle[-1].record)
    idle_s = idle[-1].at_s - idle[0].at_s
    kept_up = (end.at_s - idle[-1].at_s) / idle_s if idle_s > 0 else 0.0
    return [
        Rise(
            node=node,
            nic=nic.name,
            direction=direction,
            bytes=_bytes(nic, direction) - _bytes(last[nic.name], direction),
            packets=_packets(nic, direction) - _packets(last[nic.name], direction),
            idle_bytes=_idle(first.get(nic.name), last[nic.name], direction, kept_up),
            at_s=end.at_s,
        )
        for nic in end.record.nics
        if nic.name in last
        for direction in DIRECTIONS
    ]


def explained(exchange: Exchange, rise: Rise) -> Band:
    """What the sockets on this NIC say that it carried, of the exchange and of its mates."""
    sockets = list(_sockets(exchange, rise.node, rise.nic))
    if rise.direction == "sent":
        least = sum(s.bytes_sent - s.bytes_retrans for s, _ in sockets)
        most = sum(s.bytes_sent for s, _ in sockets)
    else:
        received = sum(s.bytes_received for s, _ in sockets)
        least = max(received - LIMITS.handshake_bytes * len(sockets), 0)
        # What the peer sent may have come after the end of a socket that no longer counted it.
        most = sum(max(s.bytes_received + p.bytes_retrans, p.bytes_sent) for s, p in sockets)
    return Band(
        least=least + rise.packets * LIMITS.header_min_bytes if sockets else 0,
        most=most + rise.packets * LIMITS.header_max_bytes + LIMITS.slack_bytes,
    )


def nic_of(socket: SocketSeen) -> str:
    """Where the kernel sends this socket's packets: the bound device, else the address's owner."""
    return socket.bound_device or socket.nic


def used_nics(exchange: Exchange, node: str) -> set[str]:
    """NICs that a channel of the exchange should use or does use there; lo never is one of them."""
    channels = range(exchange.plan.channels)
    roles = exchange.roles_on(node)
    planned = {exchange.nic(role, channel) for role in roles for channel in channels}
    seen = {nic_of(s) for r in roles for c in channels for s in exchange.sockets(r, c)}
    return (planned | seen) - {"", "lo"}


def taken_nics(exchange: Exchange, node: str) -> set[str]:
    """The same, of any exchange that ran at the same time."""
    return {nic for mate in exchange.mates for nic in used_nics(mate, node)}


def elsewhere(exchange: Exchange, short: Rise, missing: int) -> str:
    """The NIC of the same node that carried what `short` lacks, with how much; '' if none did."""
    for other in rises(exchange, short.node):
        if other.direction == short.direction and other.nic != short.nic:
            surplus = other.bytes - explained(exchange, other).most
            if surplus >= LIMITS.channel_share * missing > 0:
                return f"{other.nic} carried {surplus:,} bytes that its sockets do not explain"
    return ""


def _sockets(exchange: Exchange, node: str, nic: str) -> Iterator[tuple[SocketSeen, SocketSeen]]:
    """All channels' sockets on a NIC, each with its peer's."""
    for mate in exchange.mates:
        for role in mate.roles_on(node):
            peer = ROLES[1 - ROLES.index(role)]
            for channel in range(mate.plan.channels):
                peers = {_ends(s)[::-1]: s for s in mate.sockets(peer, channel)}
                for socket in mate.sockets(role, channel):
                    if nic_of(socket) == nic:
                        yield socket, peers.get(_ends(socket), UNSEEN)


def _ends(s: SocketSeen) -> tuple[tuple[str, int], tuple[str, int]]:
    return (s.local_address, s.local_port), (s.peer_address, s.peer_port)


def _idle(first: NicCount | None, last: NicCount, direction: str, kept_up: float) -> int:
    """What the NIC would have carried at the baseline's pace."""
    if first is None:
        return 0
    return max(round((_bytes(last, direction) - _bytes(first, direction)) * kept_up), 0)


def _by_name(record: NicCounters) -> dict[str, NicCount]:
    return {nic.name: nic for nic in record.nics}


def _bytes(nic: NicCount, direction: str) -> int:
    return nic.bytes_sent if direction == "sent" else nic.bytes_recv


def _packets(nic: NicCount, direction: str) -> int:
    return nic.packets_sent if direction == "sent" else nic.packets_recv
