"""The TCP sockets of this process, whichever library in it has opened them.

A library does not hand out its sockets, but their descriptors are the process's: each is duplicated
for as long as the kernel is asked about it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

from harness.evidence import SocketSeen
from harness.nic import links, tcp_info
from harness.nic.addresses import nic_of, spelled

DESCRIPTORS = "/proc/self/fd"


def own_tcp_sockets() -> tuple[SocketSeen, ...]:
    """All that are connected, each with its TCP_INFO as it is now."""
    links.refresh()
    owners = links.owners()
    return tuple(seen for sock in _sockets() if (seen := _seen(sock, owners)))


def _sockets() -> Iterator[socket.socket]:
    """A duplicate of every TCP socket; closed when the next one is asked for."""
    for name in os.listdir(DESCRIPTORS):
        try:
            if not os.readlink(f"{DESCRIPTORS}/{name}").startswith("socket:"):
                continue
            copy = os.dup(int(name))
        except OSError:  # closed since it was listed
            continue
        with socket.socket(fileno=copy) as sock:
            internet = sock.family in (socket.AF_INET, socket.AF_INET6)
            if internet and sock.type == socket.SOCK_STREAM:
                yield sock


def _seen(sock: socket.socket, owners: dict[str, str]) -> SocketSeen | None:
    """None for one that has no peer."""
    try:
        peer = sock.getpeername()
        raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, tcp_info.LAYOUT.size)
        bound = sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
    except OSError:
        return None
    local = sock.getsockname()
    local_address = spelled(local[0])
    return SocketSeen(
        local_address=local_address,
        local_port=local[1],
        peer_address=spelled(peer[0]),
        peer_port=peer[1],
        nic=nic_of(local_address, owners),
        bound_device=bound.split(b"\0")[0].decode(),
        state="ESTABLISHED",
        **tcp_info.fields(raw),
    )
