"""One connected data socket: frames in, frames out, blocking for a time or not at all.

A receive is `recvmsg` straight into [header, *pages]. A frame's first call takes what is there,
because only the header says how much will come; once the size is known the rest is one MSG_WAITALL.
When the receiver is the slower side, the first call brings the whole frame. The socket stays
blocking; MSG_DONTWAIT makes a call that must not wait. SO_RCVTIMEO and SO_SNDTIMEO bound each call
that may; they are set only when another time is asked for than before, which is next to never. A
frame that trickles in cannot prolong a wait for ever either: one `receive` makes few calls.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from harness.errors import LinkError, PeerGoneError, TransportError
from harness.tcpx.net import frame, tcp_info
from harness.tcpx.net.bounce import Slot
from harness.tcpx.net.tcp_info import SocketInfo
from harness.tcpx.net.views import Views, fill

_IOV_MAX = 1024  # the kernel's limit of buffers a call
_WAITALL = int(socket.MSG_WAITALL)  # plain numbers: a flag of an enum costs a microsecond
_DONTWAIT = int(socket.MSG_DONTWAIT)
_NOSIGNAL = int(socket.MSG_NOSIGNAL)
_TIMEVAL = struct.Struct("ll")
_CALLS = 4  # a receive: what is there, and the rest of even the largest message in three


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What one socket carried in the payload's direction: payload, and what was put around it."""

    payload_bytes: int
    frame_bytes: int


class Stream:
    """Frames over one socket; only the side that uses it knows whether it sends or receives."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._timeout_s: float | None = None  # that the socket's options hold, once they are set
        self._header = bytearray(frame.HEADER_BYTES)
        self._header_view = memoryview(self._header)
        self._vec: Views = []  # what remains of the frame under way
        self._sequence = -1  # of the frame that is being sent
        self._left = 0  # bytes of it that are not out
        self._got = 0
        self._size = -1  # of the frame's payload, once its header is here
        self._ahead = b""  # of the next frame, read together with a message smaller than posted
        self._payload_bytes = 0
        self._frame_bytes = frame.GREETING_BYTES
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, sequence: int, payload: memoryview, tag: int, timeout_s: float | None) -> bool:
        """Go on sending one frame for a time, None means do not wait at all; whether it is out.

        False also while another frame is under way: frames never mix.
        """
        size = len(payload)
        if not self._vec:
            self._sequence, self._left = sequence, frame.HEADER_BYTES + size
            self._vec = [memoryview(frame.header(sequence, size, tag)), payload]
        elif sequence != self._sequence:
            return False
        self._sent(self._write(timeout_s))  # the kernel takes all, or as much as there was time for
        if self._vec:
            return False
        self._count(size)
        return True

    def receive(self, sequence: int, slot: Slot, posted: int, timeout_s: float | None) -> int:
        """Go on receiving one frame into `slot`; the message's size once it is whole, else -1."""
        if not self._vec:
            self._begin(sequence, slot, posted)
        for _ in range(_CALLS):
            if not self._vec:
                break
            count = self._read(timeout_s)
            if not count:
                return -1
            self._advance(count, sequence, slot, posted)
        if self._vec:
            return -1
        self._count(self._size)
        return self._size

    def info(self) -> SocketInfo:
        return tcp_info.read(self._sock)

    def counts(self) -> Counts:
        return Counts(payload_bytes=self._payload_bytes, frame_bytes=self._frame_bytes)

    def unacked_bytes(self) -> int:
        left = tcp_info.unacked_bytes(self._sock)
        if left and tcp_info.is_closed(self._sock):
            raise PeerGoneError(
                f"the peer reset the connection with {left} bytes not acknowledged",
                expected="every byte acknowledged",
            )
        return left

    def close(self) -> None:
        self._sock.close()

    def _sent(self, count: int) -> None:
        """Cut what is out off the frame: header and payload, or what is left of the payload."""
        self._left -= count
        if not self._left:
            self._vec = []
        elif count < (head := len(self._vec[0])):
            self._vec[0] = self._vec[0][count:]
        else:
            self._vec = [self._vec[1][count - head :]]

    def _begin(self, sequence: int, slot: Slot, posted: int) -> None:
        self._vec = [self._header_view, *slot.views(posted)]
        self._got, self._size = 0, -1
        if self._ahead:
            count = fill(self._vec, self._ahead)
            self._ahead = self._ahead[count:]
            self._advance(count, sequence, slot, posted)

    def _advance(self, count: int, sequence: int, slot: Slot, posted: int) -> None:
        """`count` more bytes are in: learn the size, keep what is beyond it, see what remains."""
        self._got += count
        have = self._got - frame.HEADER_BYTES
        if have < 0:
            self._vec = [self._header_view[self._got :], *slot.views(posted)]
            return
        if self._size < 0:
            self._size = frame.parse_header(self._header, sequence, posted)
            if have > self._size:
                self._ahead = slot.read(self._size, have) + self._ahead
        self._vec = slot.views(self._size, have) if have < self._size else []

    def _count(self, payload_bytes: int) -> None:
        self._payload_bytes += payload_bytes
        self._frame_bytes += frame.HEADER_BYTES

    def _write(self, timeout_s: float | None) -> int:
        """One system call; how many bytes went out."""
        flags = _NOSIGNAL
        if timeout_s is None:
            flags |= _DONTWAIT
        elif timeout_s != self._timeout_s and not self._limit(timeout_s):
            return 0
        try:
            return self._sock.sendmsg(self._vec, (), flags)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise _failure(error) from error

    def _read(self, timeout_s: float | None) -> int:
        """One system call; how many bytes came in. Says it when the peer has left."""
        flags = _WAITALL if self._size >= 0 else 0
        if timeout_s is None:
            flags = _DONTWAIT
        elif timeout_s != self._timeout_s and not self._limit(timeout_s):
            return 0
        vec = self._vec if len(self._vec) <= _IOV_MAX else self._vec[:_IOV_MAX]
        try:
            count = self._sock.recvmsg_into(vec, 0, flags)[0]
        except BlockingIOError:
            return 0
        except OSError as error:
            raise _failure(error) from error
        if not count:
            raise PeerGoneError("the peer closed the connection", expected="a frame")
        return count

    def _limit(self, timeout_s: float) -> bool:
        """Bound the calls to come; False if there is no time for any."""
        if timeout_s <= 0:
            return False
        time_us = max(1, int(timeout_s * 1e6))
        value = _TIMEVAL.pack(*divmod(time_us, 1_000_000))
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._sock.setsockopt(socket.SOL_SOCKET, option, value)
        self._timeout_s = timeout_s
        return True


def _failure(error: OSError) -> TransportError:
    """What a failed system call means."""
    if isinstance(error, ConnectionError):
        return PeerGoneError(
            f"the peer reset the connection ({error.strerror})", expected="an open connection"
        )
    return LinkError(f"the connection failed: {error.strerror}")
