"""One socket's frames: whole, in turn, and never mixed, however they are cut on the way."""

from __future__ import annotations

import socket
import threading
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
    assert stream.receive(0, into, 8192, PATIENCE_S) == len(data)
    assert into.read(0, len(data)) == data


def test_frames_that_come_at_once_are_told_apart(ends: tuple[Stream, socket.socket]) -> None:
    """Receives posted larger than the messages read ahead; nothing of it is lost."""
    stream, other = ends
    messages = [bytes([i]) * size for i, size in enumerate([3, 0, 5000, 1, 9000, 4096])]
    other.sendall(b"".join(frame.header(i, len(m), 0) + m for i, m in enumerate(messages)))
    for i, message in enumerate(messages):
        into = slot(65_536)
        assert stream.receive(i, into, 65_536, PATIENCE_S) == len(message)
        assert into.read(0, len(message)) == message
    counts = stream.counts()
    assert counts.payload_bytes == sum(map(len, messages))
    assert counts.frame_bytes == 16 * (len(messages) + 1)


def test_a_frame_out_of_turn_is_refused(ends: tuple[Stream, socket.socket]) -> None:
    stream, other = ends
    other.sendall(frame.header(1, 5, 0) + b"hello")
    with pytest.raises(RemoteProtocolError, match="frame 1; expected frame 0"):
        stream.receive(0, slot(4096), 4096, PATIENCE_S)


def test_a_frame_that_is_cut_off_is_a_lost_peer(ends: tuple[Stream, socket.socket]) -> None:
    stream, other = ends
    other.sendall(frame.header(0, 5000, 0) + b"only this")
    other.close()
    with pytest.raises(PeerGoneError, match="closed the connection"):
        stream.receive(0, slot(8192), 8192, PATIENCE_S)


@pytest.mark.parametrize("timeouts_s", [(0.05, 0.05), (0.02, 0.08)])
def test_a_wait_lasts_as_long_as_it_was_told(
    ends: tuple[Stream, socket.socket], timeouts_s: tuple[float, ...]
) -> None:
    stream, _ = ends
    for timeout_s in timeouts_s:
        started_s = time.monotonic()
        assert stream.receive(0, slot(4096), 4096, timeout_s) == -1
        assert 0.8 * timeout_s <= time.monotonic() - started_s < timeout_s + 1


def test_a_send_that_nobody_reads_ends_in_time_and_goes_on(
    ends: tuple[Stream, socket.socket],
) -> None:
    stream, other = ends
    payload = memoryview(np.arange(LARGE, dtype=np.uint8).data)
    started_s = time.monotonic()
    assert not stream.send(0, payload, 0, 0.05)
    assert time.monotonic() - started_s < 1
    wire = b""
    while not stream.send(0, payload, 0, 0.001):
        wire += other.recv(1 << 20)
    other.settimeout(PATIENCE_S)
    while len(wire) < frame.HEADER_BYTES + LARGE:
        wire += other.recv(1 << 20)
    assert wire == frame.header(0, LARGE, 0) + payload


def test_a_frame_that_trickles_in_does_not_prolong_a_wait(
    ends: tuple[Stream, socket.socket],
) -> None:
    stream, other = ends
    into, wire = slot(8192), frame.header(0, 200, 0) + bytes(200)
    done = threading.Event()

    def trickle() -> None:
        for byte in wire:
            other.sendall(bytes([byte]))
            done.wait(0.01)

    thread = threading.Thread(target=trickle)
    thread.start()
    started_s = time.monotonic()
    assert stream.receive(0, into, 8192, 0.05) == -1
    assert time.monotonic() - started_s < 1, "the frame takes two seconds"
    done.set()
    while (size := stream.receive(0, into, 8192, 0.05)) < 0:
        assert time.monotonic() - started_s < PATIENCE_S
    assert size == 200
    thread.join()


def test_time_that_is_up_makes_no_call(ends: tuple[Stream, socket.socket]) -> None:
    stream, other = ends
    other.sendall(frame.header(0, 1, 0) + b"x")
    for timeout_s in (0.0, -1.0):
        assert stream.receive(0, slot(4096), 1, timeout_s) == -1
        assert not stream.send(0, memoryview(b"x"), 0, timeout_s)
    assert stream.receive(0, slot(4096), 1, PATIENCE_S) == 1
