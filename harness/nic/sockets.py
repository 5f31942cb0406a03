"""The node's TCP sockets as the kernel lists them: SOCK_DIAG over netlink, no library, no root.

One dump answers addresses, state, bound device and TCP_INFO of every socket of this network
namespace, whoever owns it. That is evidence which no role can talk itself out of. A socket that was
closed between two dumps is not in either: its owner's own last reading counts more.

For a dump the kernel walks its whole table of connections, megabytes of mostly empty slots. It is
asked with TCPDIAG_GETSOCK, which answers both address families in one walk; the newer
SOCK_DIAG_BY_FAMILY would need two.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Collection, Iterator

from harness.errors import NodeError
from harness.evidence import SocketSeen
from harness.nic import links, tcp_info
from harness.nic.addresses import nic_of, spelled

STATES = (
    "",
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
    "NEW_SYN_RECV",
)
# Everything that carries or has just carried data; TIME_WAIT has neither an owner nor TCP_INFO.
CONNECTED = frozenset(STATES[1:]) - {"LISTEN", "CLOSE", "TIME_WAIT"}
SEEN_MAX = 512

NETLINK_SOCK_DIAG = 4
TCPDIAG_GETSOCK = 18
DUMP = 0x301  # NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH
DONE, ERROR = 3, 2  # NLMSG_DONE, NLMSG_ERROR
INET_DIAG_INFO = 2
MESSAGE = struct.Struct("=IHHII")  # nlmsghdr
REQUEST = struct.Struct("=3xB48xI4x")  # inet_diag_req, of any family and inet_diag_sockid
# inet_diag_msg: family, state, ports, addresses, bound interface; the rest is not of interest
SOCKET = struct.Struct("!BB2xHH16s16s")
INTERFACE = struct.Struct("=I")  # an inode is one too
INTERFACE_AT, INODE_AT, ATTRIBUTES_AT = 40, 68, 72
ATTRIBUTE = struct.Struct("=HH")
RECEIVE_BYTES = 1 << 16


def tcp_sockets(
    states: Collection[str] = CONNECTED,
    *,
    but_ports: Collection[int] = (),
    at_most: int = SEEN_MAX,
) -> tuple[SocketSeen, ...]:
    """TCP sockets in `states`, none with a local or peer port of `but_ports`, at most so many."""
    found: list[SocketSeen] = []
    for _, seen in with_inodes(states):
        if {seen.local_port, seen.peer_port}.isdisjoint(but_ports):
            found.append(seen)
        if len(found) >= at_most:
            break
    return tuple(found)


def with_inodes(states: Collection[str]) -> Iterator[tuple[int, SocketSeen]]:
    """TCP sockets in `states`, each with the inode by which its owner's /proc/PID/fd knows it."""
    links.refresh()
    owners = links.owners()
    for body in _dump(sum(1 << STATES.index(state) for state in states)):
        (inode,) = INTERFACE.unpack_from(body, INODE_AT)
        yield inode, seen_in(body, owners)


def _dump(states: int) -> Iterator[bytes]:
    """Each inet_diag_msg, with its attributes."""
    request = REQUEST.pack(1 << (INET_DIAG_INFO - 1), states)
    header = MESSAGE.pack(MESSAGE.size + len(request), TCPDIAG_GETSOCK, DUMP, 1, 0)
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    try:
        with socket.socket(socket.AF_NETLINK, kind, NETLINK_SOCK_DIAG) as netlink:
            netlink.send(header + request)
            yield from _messages(netlink)
    except OSError as error:
        raise NodeError(
            f"the kernel does not list its sockets: {error}",
            expected="an answer from SOCK_DIAG",
            fix="Run: modprobe tcp_diag",
        ) from error


def _messages(netlink: socket.socket) -> Iterator[bytes]:
    while True:
        data = netlink.recv(RECEIVE_BYTES, socket.MSG_DONTWAIT)  # it has answered by now
        at = 0
        while at < len(data):
            size, kind, _, _, _ = MESSAGE.unpack_from(data, at)
            body = data[at + MESSAGE.size : at + size]
            if kind == DONE:
                return
            if kind == ERROR:
                code = -struct.unpack_from("=i", body)[0]
                raise OSError(code, "SOCK_DIAG refused the request")
            yield body
            at += _aligned(size)


def seen_in(body: bytes, owners: dict[str, str]) -> SocketSeen:
    """The socket of one inet_diag_msg."""
    family, state, local_port, peer_port, local, peer = SOCKET.unpack_from(body)
    local_address = _address(family, local)
    (interface,) = INTERFACE.unpack_from(body, INTERFACE_AT)
    return SocketSeen(
        local_address=local_address,
        local_port=local_port,
        peer_address=_address(family, peer),
        peer_port=peer_port,
        nic=nic_of(local_address, owners),
        bound_device=links.name_of(interface) if interface else "",
        state=STATES[state],
        **tcp_info.fields(_attribute(body, INET_DIAG_INFO)),
    )


def _address(family: int, raw: bytes) -> str:
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, raw[:4])
    return spelled(socket.inet_ntop(socket.AF_INET6, raw))


def _attribute(body: bytes, wanted: int) -> bytes:
    at = ATTRIBUTES_AT
    while at + ATTRIBUTE.size <= len(body):
        size, kind = ATTRIBUTE.unpack_from(body, at)
        if kind == wanted:
            return body[at + ATTRIBUTE.size : at + size]
        at += max(_aligned(size), ATTRIBUTE.size)
    return b""


def _aligned(size: int) -> int:
    return (size + 3) & ~3
