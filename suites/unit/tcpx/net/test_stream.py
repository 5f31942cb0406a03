"""One socket's frames: whole, in turn, and never mixed, however they are cut on the way."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

from harness.errors import PeerGoneError, RemoteProtocolError
from harness.tcpx.net import frame
from harness.tcpx.net.bounce import Bounce, Slot
from harness.tcpx.net.stream import Stream

LARGE = 16 << 20  # more than the kernel buffers
PATIENCE_S = 10.0


@pytest.fixture
def ends() -> Iterator[tuple[Stream, socket.socket]]:
    """A stream, and the bare socket at its other end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        other = socket.create_connection(server.getsockname())
        sock, _ = server.accept()
    stream = Stream(sock)
    with other:
        other.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield stream, other
    stream.close()


def slot(size: int) -> Slot:
    return Bounce(size, seed=3).take()


def soon() -> float:
    return time.monotonic() + PATIENCE_S


def test_a_frame_that_is_under_way_is_not_mixed_with_another(
    ends: tuple[Stream, socket.socket],
) -> None:
    stream, other = ends
    first, second = memoryview(bytes(LARGE)), memoryview(b"second")
    assert not stream.send(0, first, 0, None), "nobody reads"
    assert not stream.send(1, second, 0, None), "the first is under way"
    read = 0
    while not stream.send(0, first, 0, None):
        read += len(other.recv(1 << 20))
    assert stream.send(1, second, 0, None)
    rest = frame.HEADER_BYTES + LARGE - read
    other.settimeout(PATIENCE_S)
    while rest:
        rest -= len(other.recv(rest))
    tail = b""
    while len(tail) < frame.HEADER_BYTES + len(second):
        tail += other.recv(100)
    assert tail == frame.header(1, 6, 0) + b"second"


@pytest.mark.parametrize("step", [1, 5, 16, 17, 4096, 4113])
def test_a_frame_may_come_in_pieces(ends: tuple[Stream, socket.socket], step: int) -> None:
    stream, other = ends
    data = np.random.default_rng(0).integers(0, 256, 5000, np.uint8).tobytes()
    wire, into = frame.header(0, len(data), 0) + data, slot(8192)
    for at in range(0, len(wire), step):
        assert stream.receive(0, into, 8192, None) == -1
        other.sendall(wire[at : at + step])
    assert stream.receive(0, into, 8192, soon()) == len(data)
    assert into.read(0, len(data)) == data


def test_frames_that_come_at_once_are_told_apart(ends: tuple[Stream, socket.socket]) -> None:
    """Receives posted larger than the messages read ahead; nothing of it is lost."""
    stream, other = ends
    messages = [bytes([i]) * size for i, size in enumerate([3, 0, 5000, 1, 9000, 4096])]
    other.sendall(b"".join(frame.header(i, len(m), 0) + m for i, m in enumerate(messages)))
    for i, message in enumerate(messages):
        into = slot(65_536)
        assert stream.receive(i, into, 65_536, soon()) == len(message)
        assert into.read(0, len(message)) == message
    counts = stream.counts()
    assert counts.payload_bytes == sum(map(len, messages))
    assert counts.frame_bytes == 16 * (len(messages) + 1)


def test_a_frame_out_of_turn_is_refused(ends: tuple[Stream, socket.socket]) -> None:
    stream, other = ends
    other.sendall(frame.header(1, 5, 0) + b"hello")
    with pytest.raises(RemoteProtocolError, match="frame 1; expected frame 0"):
        stream.receive(0, slot(4096), 4096, soon())


def test_a_frame_that_is_cut_off_is_a_lost_peer(ends: tuple[Stream, socket.socket]) -> None:
    stream, other = ends
    other.sendall(frame.header(0, 5000, 0) + b"only this")
    other.close()
    with pytest.raises(PeerGoneError, match="closed the connection"):
        stream.receive(0, slot(8192), 8192, soon())


def test_time_that_is_up_makes_no_call(ends: tuple[Stream, socket.socket]) -> None:
    stream, other = ends
    other.sendall(frame.header(0, 1, 0) + b"x")
    assert stream.receive(0, slot(4096), 1, time.monotonic()) == -1
    assert stream.receive(0, slot(4096), 1, soon()) == 1
