"""Whose connections a program's sockets are, and on which channel's NIC.

A connection is the program's when either end is: the two roles' sockets are joined by both their
ends, so that the program need not have been caught at both. Nobody outside knows which channel a
connection belongs to, so it is given to a channel whose NIC it uses, the least loaded one of that
NIC; one that is on no channel's NIC and carried a channel's worth goes to a channel that has none.
What is left out is control: it is on no data NIC and carried little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.evidence import ProgramSockets, SocketSeen
from harness.plan import Plan
from harness.verdict.limits import LIMITS

End = tuple[str, int]
Dealt = dict[tuple[str, int], tuple[SocketSeen, ...]]


@dataclass(slots=True)
class Connection:
    """One connection, by the roles whose end of it was seen."""

    ends: dict[str, SocketSeen] = field(default_factory=dict)
    owned: bool = False  # by the program, at either end

    @property
    def payload_bytes(self) -> int:
        """What it carried, in the direction in which it carried more."""
        return max(
            max(s.bytes_sent - s.bytes_retrans, s.bytes_received) for s in self.ends.values()
        )

    def nic(self, role: str) -> str:
        seen = self.ends.get(role)
        return seen.bound_device or seen.nic if seen else ""


def by_channel(
    plan: Plan, nics: Mapping[str, Sequence[str]], told: Mapping[str, ProgramSockets]
) -> Dealt:
    """The sockets of each role's channels: (role, channel) -> sockets."""
    found = sorted(_connections(told), key=lambda c: -c.payload_bytes)
    channels: list[list[Connection]] = [[] for _ in range(plan.channels)]
    strays = []
    for connection in found:
        rail = _rail(connection, nics)
        if 0 <= rail < plan.channels:
            mates = channels[rail :: _rails(nics)]
            min(mates, key=_load).append(connection)
        elif connection.payload_bytes >= LIMITS.channel_share * plan.total_bytes / plan.channels:
            strays.append(connection)
    for connection in strays:
        min(channels, key=_load).append(connection)
    return {
        (role, channel): tuple(c.ends[role] for c in dealt if role in c.ends)
        for channel, dealt in enumerate(channels)
        for role in told
    }


def _connections(told: Mapping[str, ProgramSockets]) -> list[Connection]:
    """All of the program's, each once."""
    found: dict[tuple[End, End], Connection] = {}
    for role, sockets in told.items():
        for owned, seen_all in ((True, sockets.own), (False, sockets.others)):
            for seen in seen_all:
                connection = found.setdefault(_key(role, seen), Connection())
                connection.ends[role] = seen
                connection.owned |= owned
    return [connection for connection in found.values() if connection.owned]


def _key(role: str, seen: SocketSeen) -> tuple[End, End]:
    """The server's end, the client's end."""
    local, peer = (seen.local_address, seen.local_port), (seen.peer_address, seen.peer_port)
    return (local, peer) if role == "server" else (peer, local)


def _rail(connection: Connection, nics: Mapping[str, Sequence[str]]) -> int:
    """The place of its NIC among the data NICs; -1 when it is on none of them."""
    for role, names in nics.items():
        if connection.nic(role) in names:
            return list(names).index(connection.nic(role))
    return -1


def _rails(nics: Mapping[str, Sequence[str]]) -> int:
    return max((len(names) for names in nics.values()), default=1)


def _load(connections: list[Connection]) -> int:
    return sum(connection.payload_bytes for connection in connections)
