"""What a socket carried is told when it is closed, to whoever listens."""

from __future__ import annotations

import socket
import time

from harness.evidence import SocketSeen
from harness.nic.closed import Closed

SIZE = 300_000
SOON_S = 2.0


def carry(size: int) -> tuple[int, int]:
    """A connection over lo that carries `size` bytes and is closed; its two ports."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as near:
            own = near.getsockname()[1]
            with listener.accept()[0] as far:
                near.sendall(bytes(size))
                left = size
                while left:
                    left -= len(far.recv(left))
    return own, port


def until(closed: Closed, port: int) -> list[SocketSeen]:
    """Both ends of the connection that has `port`."""
    found: list[SocketSeen] = []
    deadline = time.monotonic() + SOON_S
    while len(found) < 2 and time.monotonic() < deadline:
        found += [s for s in closed.take() if s.peer_port and port in (s.local_port, s.peer_port)]
        time.sleep(0.01)
    return found


def test_both_ends_are_told_with_their_last_counts() -> None:
    closed = Closed()
    own, port = carry(SIZE)
    by_port = {s.local_port: s for s in until(closed, port)}
    closed.close()
    assert by_port[own].bytes_sent - by_port[own].bytes_retrans == SIZE
    assert by_port[port].bytes_received in (SIZE, SIZE + 1, SIZE + 2)
    assert by_port[own].local_address == "127.0.0.1"
    assert by_port[own].nic == "lo"


def test_what_was_closed_before_is_not_told() -> None:
    _, port = carry(1000)
    closed = Closed()
    assert not [s for s in closed.take() if port in (s.local_port, s.peer_port)]
    closed.close()


def test_nothing_new_is_nothing() -> None:
    closed = Closed()
    closed.take()
    begun = time.monotonic()
    closed.take()
    assert time.monotonic() - begun < SOON_S / 2  # it never waits
    closed.close()


def test_a_queue_that_was_too_small_says_so() -> None:
    closed = Closed()
    closed._news.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    deadline = time.monotonic() + SOON_S
    while not closed.lost and time.monotonic() < deadline:
        for _ in range(50):
            carry(1)
        time.sleep(0.05)  # the kernel tells of them from a queue of its own
        closed.take()
    assert closed.lost
    closed.close()
