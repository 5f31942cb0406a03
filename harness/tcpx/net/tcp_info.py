"""TCP_INFO of one socket: what the kernel counted, which nobody's log can embellish."""

from __future__ import annotations

import fcntl
import socket
import struct
from dataclasses import dataclass

_SIOCOUTQ = 0x5411
_SIZE = 232
_CLOSE = 7  # the state of a socket without a connection
_RTT = struct.Struct("<I")  # at 68
_BYTES = struct.Struct("<QQII")  # at 120: acked, received, segs_out, segs_in
_SENT = struct.Struct("<QQ")  # at 200: sent, retrans


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketInfo:
    """One TCP socket, read before it is closed. `bytes_sent` includes retransmissions."""

    local_address: str
    local_port: int
    peer_address: str
    peer_port: int
    bound_device: str  # as the kernel says it; '' if the socket is bound to none
    bytes_sent: int
    bytes_acked: int
    bytes_received: int
    bytes_retrans: int
    segs_out: int
    segs_in: int
    rtt_us: int


def read(sock: socket.socket) -> SocketInfo:
    """Everything of `sock`; addresses of a socket whose peer is gone stay empty."""
    raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE).ljust(_SIZE, b"\0")
    acked, received, segs_out, segs_in = _BYTES.unpack_from(raw, 120)
    sent, retrans = _SENT.unpack_from(raw, 200)
    local, peer = _names(sock)
    return SocketInfo(
        local_address=local[0],
        local_port=local[1],
        peer_address=peer[0],
        peer_port=peer[1],
        bound_device=_bound_device(sock),
        bytes_sent=sent,
        bytes_acked=acked,
        bytes_received=received,
        bytes_retrans=retrans,
        segs_out=segs_out,
        segs_in=segs_in,
        rtt_us=_RTT.unpack_from(raw, 68)[0],
    )


def is_closed(sock: socket.socket) -> bool:
    """Whether the connection was reset: what is unacknowledged then stays so."""
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _CLOSE


def unacked_bytes(sock: socket.socket) -> int:
    """Bytes that the peer's kernel has not acknowledged yet."""
    return int(struct.unpack("i", fcntl.ioctl(sock, _SIOCOUTQ, b"\0" * 4))[0])


def _names(sock: socket.socket) -> tuple[tuple[str, int], tuple[str, int]]:
    local: tuple[str, int] = sock.getsockname()
    try:
        return local, sock.getpeername()
    except OSError:
        return local, ("", 0)


def _bound_device(sock: socket.socket) -> str:
    name = sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
    return name.split(b"\0")[0].decode()
