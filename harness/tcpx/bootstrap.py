"""Bootstrap: the server's handles travel to the client over one plain connection, in one go.

The wire is version 1 of the transport's own: a little-endian uint32 count (1..64), then count x 128
bytes, server to client; the client never speaks first and nobody proves who he is. So the server
can only refuse a stranger who speaks or leaves before he was given anything, and the client can
only refuse what is not handles; both say what they saw. Listening and accepting are two steps, so
that a role can say that it is ready in between. The connection stays open for last words.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Sequence
from types import TracebackType

from harness.errors import BootstrapError
from harness.tcpx.conn_info import MAX_HANDLES
from harness.tcpx.net.plugin import HANDLE_BYTES, NetHandle

_COUNT = struct.Struct("<I")
_FAMILY = struct.Struct("<H")
_RETRY_S = 0.05


class Connection:
    """A connected socket; every call has a deadline, in seconds from now."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.peer: str = sock.getpeername()[0]
        self.ends: tuple[str, int, str, int] = (*sock.getsockname()[:2], *sock.getpeername()[:2])

    def send_exact(self, data: bytes, deadline_s: float) -> None:
        self._sock.settimeout(max(deadline_s, 0.001))
        try:
            self._sock.sendall(data)
        except TimeoutError as error:
            raise BootstrapError(f"{self.peer} took no data for {deadline_s:g} s") from error
        except OSError as error:
            raise BootstrapError(f"send to {self.peer} failed: {error.strerror}") from error

    def recv_exact(self, size_bytes: int, deadline_s: float) -> bytes:
        """Exactly `size_bytes`, or an error that says how many came and why no more."""
        until_s, data = time.monotonic() + deadline_s, b""
        while len(data) < size_bytes:
            self._sock.settimeout(max(until_s - time.monotonic(), 0.001))
            try:
                more = self._sock.recv(size_bytes - len(data))
            except TimeoutError as error:
                raise self._short(data, size_bytes, f"silent for {deadline_s:g} s") from error
            except OSError as error:
                raise self._short(data, size_bytes, f"lost ({error.strerror})") from error
            if not more:
                raise self._short(data, size_bytes, "closed")
            data += more
        return data

    def spoken(self) -> bytes | None:
        """What the peer has said unasked; b'' if it has left, None if it waits as it should."""
        try:
            return self._sock.recv(16, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def close(self) -> None:
        self._sock.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _short(self, data: bytes, size_bytes: int, why: str) -> BootstrapError:
        return BootstrapError(
            f"{self.peer} {why} after {len(data)} of {size_bytes} bytes",
            expected=f"{size_bytes} bytes",
        )


def server_listen(address: str, port: int) -> socket.socket:
    """A listening socket (port 0: any); the role may now say that it is ready."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((address, port))
        sock.listen(8)
    except OSError as error:
        sock.close()
        raise BootstrapError(
            f"bind() failed on port {port}: {error.strerror}",
            where=address,
            fix=f"See who has it with: ss -ltnp 'sport = :{port}'",
        ) from error
    return sock


def server_accept(listener: socket.socket, deadline_s: float) -> Connection:
    """The one client. The listener is closed: whoever comes later is refused by the kernel."""
    until_s, strangers = time.monotonic() + deadline_s, ""
    with listener:
        while (left_s := until_s - time.monotonic()) > 0:
            listener.settimeout(left_s)
            try:
                sock, address = listener.accept()
                connection = Connection(sock)
            except TimeoutError:
                break
            except OSError:  # it left before it was accepted
                continue
            said = connection.spoken()
            if said is None:
                return connection
            connection.close()
            strangers += f"; refused {address[0]}:{address[1]}, which {_conduct(said)}"
    raise BootstrapError(
        f"no client came in {deadline_s:g} s{strangers}",
        expected="one connection",
        fix="Start the client after the server is ready",
    )


def server_send_handles(
    connection: Connection, handles: Sequence[NetHandle], deadline_s: float
) -> None:
    if not 1 <= len(handles) <= MAX_HANDLES:
        raise BootstrapError(f"{len(handles)} handles to send", expected=f"1..{MAX_HANDLES}")
    if (said := connection.spoken()) is not None:
        raise BootstrapError(
            f"{connection.peer} {_conduct(said)}", expected="a client that waits for handles"
        )
    raw = b"".join(handle.raw for handle in handles)
    connection.send_exact(_COUNT.pack(len(handles)) + raw, deadline_s)


def client_connect(address: str, port: int, deadline_s: float) -> Connection:
    """Connect, trying again while nobody listens yet."""
    until_s = time.monotonic() + deadline_s
    while True:
        left_s = until_s - time.monotonic()
        try:
            return Connection(socket.create_connection((address, port), max(left_s, 0.001)))
        except OSError as error:
            if left_s < _RETRY_S or not isinstance(error, ConnectionError):
                raise BootstrapError(
                    f"connect() failed: {error.strerror or error} for {deadline_s:g} s",
                    expected="a server that listens",
                    where=f"{address}:{port}",
                    fix="Is the server ready, and the port the same on both sides?",
                ) from error
        time.sleep(_RETRY_S)


def client_recv_handles(connection: Connection, deadline_s: float) -> list[NetHandle]:
    """The server's handles; refuses a count outside 1..64 and what are no handles."""
    until_s = time.monotonic() + deadline_s
    head = connection.recv_exact(_COUNT.size, deadline_s)
    count = _COUNT.unpack(head)[0]
    if not 1 <= count <= MAX_HANDLES:
        raise BootstrapError(
            f"Invalid channel count: {count} (the bytes {head!r})",
            expected=f"1..{MAX_HANDLES}",
            where=connection.peer,
            fix="Is another program on this port?",
        )
    raw = connection.recv_exact(count * HANDLE_BYTES, until_s - time.monotonic())
    cuts = range(0, len(raw), HANDLE_BYTES)
    return [_handle(raw[at : at + HANDLE_BYTES], at // HANDLE_BYTES) for at in cuts]


def _handle(raw: bytes, index: int) -> NetHandle:
    family = _FAMILY.unpack_from(raw)[0]
    if family not in (socket.AF_INET, socket.AF_INET6):
        raise BootstrapError(
            f"handle {index} begins with {raw[:8]!r}", expected="a socket address first"
        )
    return NetHandle(raw=raw)


def _conduct(said: bytes) -> str:
    return f"spoke first: {said!r}" if said else "left at once"
