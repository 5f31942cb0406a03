"""How two sides find each other: many sockets become one comm, and a stranger becomes none.

Both sides are state machines that never wait: `ready` looks once and says whether all is there. The
connecting side greets with the nonce from the handle; the listening side answers only when every
socket of the comm has greeted. Whoever greets wrongly, or says nothing while others come, is closed
and remembered, and does not disturb the rest.
"""

from __future__ import annotations

import errno
import os
import secrets
import select
import socket

from harness.errors import LinkError, RemoteProtocolError
from harness.tcpx.net import frame
from harness.tcpx.net.handle import Listening
from harness.tcpx.net.stream import Stream

_PENDING_MAX = 64  # connections that have not greeted yet
_REFUSED_MAX = 16  # strangers remembered


class Listener:
    """One comm's listening socket, bound to its NIC."""

    def __init__(self, nic: str, address: str, sockets: int) -> None:
        self._sock = bound_socket(nic, address)
        self._sock.listen(_PENDING_MAX)
        self._sock.setblocking(False)
        self.accepted = False
        self.refused: list[str] = []
        self.where = Listening(
            address=address,
            port=self._sock.getsockname()[1],
            sockets=sockets,
            nonce=secrets.randbits(64),
        )
        self._pending: dict[socket.socket, bytes] = {}
        self._greeted: dict[int, socket.socket] = {}

    def ready(self) -> list[Stream] | None:
        """The sockets of the peer's comm, in order, once they are all there."""
        self._take_new()
        for sock in list(self._pending):
            self._hear(sock)
        if len(self._greeted) < self.where.sockets:
            return None
        self.accepted = True
        return [self._welcome(index) for index in range(self.where.sockets)]

    def close(self) -> None:
        waiting = [] if self.accepted else self._greeted.values()
        for sock in (self._sock, *self._pending, *waiting):
            sock.close()

    def _take_new(self) -> None:
        while True:
            try:
                sock, _ = self._sock.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                continue
            sock.setblocking(True)
            self._pending[sock] = b""
            if len(self._pending) > _PENDING_MAX:
                self._refuse(next(iter(self._pending)), "said nothing")

    def _hear(self, sock: socket.socket) -> None:
        heard = self._pending[sock]
        try:
            more = sock.recv(frame.GREETING_BYTES - len(heard), socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        heard += more
        if not more:
            self._refuse(sock, f"left after {heard!r}")
        elif len(heard) < frame.GREETING_BYTES:
            self._pending[sock] = heard
        else:
            self._judge(sock, heard)

    def _judge(self, sock: socket.socket, heard: bytes) -> None:
        free = set(range(self.where.sockets)) - set(self._greeted)
        known = {self._greeting(frame.HELLO, index): index for index in free}
        if heard in known:
            del self._pending[sock]
            self._greeted[known[heard]] = sock
        else:
            self._refuse(sock, f"said {heard!r}")

    def _welcome(self, index: int) -> Stream:
        sock = self._greeted[index]
        try:
            sock.send(self._greeting(frame.WELCOME, index), socket.MSG_NOSIGNAL)
        except OSError as error:
            raise RemoteProtocolError("the peer left before it was accepted") from error
        return Stream(sock)

    def _greeting(self, word: bytes, index: int) -> bytes:
        return frame.greeting(word, index, self.where.sockets, self.where.nonce)

    def _refuse(self, sock: socket.socket, why: str) -> None:
        del self._pending[sock]
        try:
            address, port = sock.getpeername()
        except OSError:
            address, port = "somebody", 0
        sock.close()
        self.refused = [*self.refused, f"{address}:{port} {why}"][-_REFUSED_MAX:]


class Dial:
    """One socket on its way: connecting, then greeting, then waiting for the welcome."""

    def __init__(self, nic: str, address: str, index: int, peer: Listening) -> None:
        self._index, self._peer, self._nic = index, peer, nic
        self._connected = False
        self._heard = b""
        self._sock = bound_socket(nic, address)
        self._sock.setblocking(False)
        code = self._sock.connect_ex((peer.address, peer.port))
        if code not in (0, errno.EINPROGRESS):
            raise self._unreachable(code)

    def ready(self) -> bool:
        return (self._connected or self._connect()) and self._welcomed()

    def stream(self) -> Stream:
        return Stream(self._sock)

    def close(self) -> None:
        self._sock.close()

    def _connect(self) -> bool:
        poll = select.poll()
        poll.register(self._sock, select.POLLOUT)
        if not poll.poll(0):
            return False
        code = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == errno.ECONNRESET:
            raise self._refused(f"reset the connection ({os.strerror(code)})")
        if code:
            raise self._unreachable(code)
        self._sock.setblocking(True)
        try:
            self._sock.sendall(self._greeting(frame.HELLO))
        except OSError as error:
            raise self._refused(f"reset the connection ({error.strerror})") from error
        self._connected = True
        return True

    def _welcomed(self) -> bool:
        rest = frame.GREETING_BYTES - len(self._heard)
        if not rest:
            return True
        try:
            more = self._sock.recv(rest, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError as error:
            raise self._refused(f"reset the connection ({error.strerror})") from error
        if not more:
            raise self._refused("closed the connection")
        self._heard += more
        if len(self._heard) < frame.GREETING_BYTES:
            return False
        if self._heard != self._greeting(frame.WELCOME):
            raise self._refused(f"answered {self._heard!r}")
        return True

    def _greeting(self, word: bytes) -> bytes:
        return frame.greeting(word, self._index, self._peer.sockets, self._peer.nonce)

    def _refused(self, what: str) -> RemoteProtocolError:
        return RemoteProtocolError(
            f"{self._peer.address}:{self._peer.port} {what}",
            expected="the listener that made the handle",
        )

    def _unreachable(self, code: int) -> LinkError | RemoteProtocolError:
        where = f"{self._peer.address}:{self._peer.port}"
        if code == errno.ECONNREFUSED:
            return RemoteProtocolError(f"nobody listens at {where}", expected="the peer's listener")
        why = errno.errorcode.get(code, str(code))
        return LinkError(
            f"{where} cannot be reached through {self._nic} ({why})",
            fix=f"ping -I {self._nic} {self._peer.address}",
        )


def bound_socket(nic: str, address: str) -> socket.socket:
    """A TCP socket that uses `nic` only: bound to its address and, where allowed, to the device."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        _bind_to_device(sock, nic)
        sock.bind((address, 0))
    except OSError as error:
        sock.close()
        raise LinkError(
            f"cannot bind to {address} on {nic} ({error.strerror})", expected="an address of it"
        ) from error
    return sock


def _bind_to_device(sock: socket.socket, nic: str) -> None:
    # Kernels before 5.7 want CAP_NET_RAW. The address alone then says which NIC is used, and
    # SocketInfo.bound_device, which is read back from the kernel, is empty.
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, nic.encode())
    except PermissionError:
        return
