"""The sockets of a program that we host, seen from outside it: who has them, and what they carried.

A socket is the program's own when a process of its tree has it open, or when it was accepted on a
port on which the tree listened. Its counts are read while it lives and once more when it is closed,
so they are final whatever the program says. What else used the data NICs meanwhile is kept apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from harness.evidence import ProgramSockets, SocketSeen
from harness.nic import tree
from harness.nic.closed import Closed
from harness.nic.sockets import CONNECTED, SEEN_MAX, with_inodes

Ends = tuple[str, int, str, int]
LISTEN = "LISTEN"


class Sightings:
    """What was seen of one program's sockets on this node."""

    def __init__(self, nics: Collection[str]) -> None:
        self.listening: set[int] = set()  # ports of the tree's own listeners, those closed too
        self._nics = frozenset(nics)
        self._closed = Closed()
        self._inodes: set[int] = set()  # of the tree's sockets
        self._known: set[int] = set()  # of all that were looked up
        self._own: dict[Ends, SocketSeen] = {}
        self._others: dict[Ends, SocketSeen] = {}
        self._ended: set[Ends] = set()  # of which the kernel has told the last

    def look(self, roots: Iterable[int]) -> None:
        """One look at all sockets of this node; `roots` are the processes that we started."""
        listed = list(with_inodes({*CONNECTED, LISTEN}))
        self._learn({inode for inode, _ in listed}, roots)
        for inode, seen in listed:
            if seen.state == LISTEN:
                if inode in self._inodes:
                    self.listening.add(seen.local_port)
            elif _ends(seen) not in self._ended:
                self._keep(seen, own=inode in self._inodes)
        for seen in self._closed.take():
            if seen.peer_port:  # else it listened
                self._keep(seen, own=False)
                self._ended.add(_ends(seen))

    @property
    def has_open(self) -> bool:
        """Whether the last of a socket of the program is still to be told, as of the last look."""
        return bool(self._own.keys() - self._ended)

    def moved_bytes(self, role: str) -> int:
        """Payload of its sockets so far, in the direction of the role."""
        if role == "client":
            return sum(s.bytes_sent - s.bytes_retrans for s in list(self._own.values()))
        return sum(s.bytes_received for s in list(self._own.values()))

    def told(self, node: str, role: str) -> ProgramSockets:
        found = (self._own, self._others)
        return ProgramSockets(
            node=node,
            role=role,
            own=tuple(self._own.values())[:SEEN_MAX],
            others=tuple(self._others.values())[:SEEN_MAX],
            losses=self._closed.lost,
            left_out=sum(max(len(sockets) - SEEN_MAX, 0) for sockets in found),
        )

    def close(self) -> None:
        self._closed.close()

    def _learn(self, inodes: set[int], roots: Iterable[int]) -> None:
        """Whose the new ones are. Nobody's (0) is not yet accepted; to go through all processes
        costs more than to list all sockets, and most looks find nothing new."""
        if new := inodes - self._known - {0}:
            self._inodes |= new & tree.inodes([p for root in roots for p in tree.members(root)])
            self._known |= new

    def _keep(self, seen: SocketSeen, *, own: bool) -> None:
        """Note the latest reading."""
        ends = _ends(seen)
        if own or ends in self._own or seen.local_port in self.listening:
            self._others.pop(ends, None)
            self._own[ends] = seen
        elif self._nics & {seen.nic, seen.bound_device}:
            self._others[ends] = seen


def _ends(seen: SocketSeen) -> Ends:
    return (seen.local_address, seen.local_port, seen.peer_address, seen.peer_port)
