"""One connected data socket: frames in, frames out, blocking for a time or not at all.

A receive is `recvmsg` straight into [header, *pages]. A frame's first call takes what is there,
because only the header says how much will come; once the size is known the rest is one MSG_WAITALL.
When the receiver is the slower side, the first call brings the whole frame. The socket stays
blocking; SO_RCVTIMEO and SO_SNDTIMEO bound a wait, MSG_DONTWAIT makes a call that must not wait.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.errors import LinkError, PeerGoneError
from harness.tcpx.net import frame, tcp_info
from harness.tcpx.net.bounce import Slot
from harness.tcpx.net.tcp_info import SocketInfo
from harness.tcpx.net.views import Views, fill

_IOV_MAX = 1024  # the kernel's limit of buffers a call
_WAITALL = int(socket.MSG_WAITALL)  # plain numbers: a flag of an enum costs a microsecond
_DONTWAIT = int(socket.MSG_DONTWAIT)
_NOSIGNAL = int(socket.MSG_NOSIGNAL)
_TIMEVAL = struct.Struct("ll")
_Call = Callable[[socket.socket, Sequence[memoryview], int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What one socket carried in the payload's direction: payload, and what was put around it."""

    payload_bytes: int
    frame_bytes: int


class Stream:
    """Frames over one socket; only the side that uses it knows whether it sends or receives."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._timeouts: dict[int, int] = {}  # socket option -> microseconds
        self._header = bytearray(frame.HEADER_BYTES)
        self._header_view = memoryview(self._header)
        self._vec: Views = []  # what remains of the frame under way
        self._sequence = -1  # of the frame that is being sent
        self._got = 0
        self._size = -1  # of the frame's payload, once its header is here
        self._ahead = b""  # of the next frame, read together with a message smaller than posted
        self._payload_bytes = 0
        self._frame_bytes = frame.GREETING_BYTES
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, sequence: int, payload: memoryview, tag: int, until_s: float | None) -> bool:
        """Go on sending one frame until it is out or time is up; None means do not wait at all.

        False also while another frame is under way: frames never mix.
        """
        if not self._vec:
            self._sequence = sequence
            self._vec = [memoryview(frame.header(sequence, len(payload), tag)), payload]
        elif sequence != self._sequence:
            return False
        while self._vec:
            count = self._call(_send, socket.SO_SNDTIMEO, _NOSIGNAL, until_s)
            if count < 0:
                return False
            self._sent(count)
        self._count(len(payload))
        return True

    def receive(self, sequence: int, slot: Slot, posted: int, until_s: float | None) -> int:
        """Go on receiving one frame into `slot`; the message's size once it is whole, else -1."""
        if not self._vec:
            self._begin(sequence, slot, posted)
        while self._vec:
            flags = _WAITALL if self._size >= 0 else 0
            count = self._call(_receive, socket.SO_RCVTIMEO, flags, until_s)
            if count < 0:
                return -1
            self._advance(count, sequence, slot, posted)
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
        head = len(self._vec[0])
        if count < head:
            self._vec[0] = self._vec[0][count:]
        elif len(self._vec) > 1 and count - head < len(self._vec[1]):
            self._vec = [self._vec[1][count - head :]]
        else:
            self._vec = []

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

    def _call(self, call: _Call, option: int, flags: int, until_s: float | None) -> int:
        """One system call; -1 when it would have to wait longer. Says it when the peer has left."""
        if until_s is None:
            flags = (flags | _DONTWAIT) & ~_WAITALL
        elif (left_s := until_s - time.monotonic()) > 0:
            self._limit(option, left_s)
        else:
            return -1
        try:
            vec = self._vec if len(self._vec) <= _IOV_MAX else self._vec[:_IOV_MAX]
            return call(self._sock, vec, flags)
        except BlockingIOError:
            return -1
        except ConnectionError as error:
            raise PeerGoneError(
                f"the peer reset the connection ({error.strerror})", expected="an open connection"
            ) from error
        except OSError as error:
            raise LinkError(f"the connection failed: {error.strerror}") from error

    def _limit(self, option: int, left_s: float) -> None:
        # Rounded down to a power of two, so that the option is seldom set anew.
        left_us = max(1024, 1 << (max(1, int(left_s * 1e6)).bit_length() - 1))
        if self._timeouts.get(option) != left_us:
            value = _TIMEVAL.pack(left_us // 1_000_000, left_us % 1_000_000)
            self._sock.setsockopt(socket.SOL_SOCKET, option, value)
            self._timeouts[option] = left_us


def _send(sock: socket.socket, vec: Sequence[memoryview], flags: int) -> int:
    return sock.sendmsg(vec, [], flags)


def _receive(sock: socket.socket, vec: Sequence[memoryview], flags: int) -> int:
    count = sock.recvmsg_into(vec, 0, flags)[0]
    if not count:
        raise PeerGoneError("the peer closed the connection", expected="a frame")
    return count
