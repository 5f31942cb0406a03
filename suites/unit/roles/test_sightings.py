"""Whose a socket is, and what it carried at its end, whatever the program says."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from harness.roles.sightings import Sightings

SIZE = 200_000
SOON_S = 3.0
SENDER = """
import socket, sys
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print("up", flush=True)
sys.stdin.readline()
sock.sendall(bytes(int(sys.argv[2])))
"""
TAKER = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
sock, _ = listener.accept()
while sock.recv(65536):
    pass
"""


@pytest.fixture
def sightings() -> Iterator[Sightings]:
    seen = Sightings(["lo"])
    yield seen
    seen.close()


def start(program: str, *words: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def until_closed(sightings: Sightings, own: int = 0) -> None:
    """Until the kernel has told the end of all of the program's sockets, `own` of them at least."""
    deadline = time.monotonic() + SOON_S
    sightings.look([])
    while time.monotonic() < deadline:
        if not sightings.has_open and len(sightings.told("a", "server").own) >= own:
            return
        time.sleep(0.01)
        sightings.look([])


def test_a_programs_socket_is_counted_to_its_end(sightings: Sightings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = start(SENDER, listener.getsockname()[1], SIZE)
        assert child.stdout
        child.stdout.readline()
        with listener.accept()[0] as sock:
            sightings.look([child.pid])
            assert sightings.has_open
            child.communicate(b"go\n")
            while sock.recv(65536):
                pass
    until_closed(sightings)
    (own,) = sightings.told("a", "client").own
    assert own.bytes_sent - own.bytes_retrans == SIZE  # lo drops what its reader is too slow for
    assert sightings.moved_bytes("client") == SIZE


def test_the_other_end_is_not_the_programs(sightings: Sightings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        child = start(SENDER, port, SIZE)
        assert child.stdout
        child.stdout.readline()
        with listener.accept()[0] as sock:
            sightings.look([child.pid])
            child.communicate(b"go\n")
            while sock.recv(65536):
                pass
    until_closed(sightings)
    told = sightings.told("a", "client")
    assert port not in [s.local_port for s in told.own]
    assert port in [s.local_port for s in told.others]


def test_who_listens_owns_what_it_accepts_however_short_it_was(sightings: Sightings) -> None:
    child = start(TAKER)
    assert child.stdout
    port = int(child.stdout.readline())
    sightings.look([child.pid])
    assert port in sightings.listening
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(bytes(SIZE))
    child.communicate()
    until_closed(sightings, own=1)
    (own,) = sightings.told("a", "server").own
    assert SIZE <= own.bytes_received <= SIZE + 2
    assert sightings.moved_bytes("server") == own.bytes_received


def test_a_stranger_on_the_port_does_not_make_it_ready(sightings: Sightings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = start(SENDER, listener.getsockname()[1], 0)
        assert child.stdout
        child.stdout.readline()
        sightings.look([child.pid])
        assert listener.getsockname()[1] not in sightings.listening
        child.communicate(b"go\n")


def test_nothing_on_other_nics_is_kept(sightings: Sightings) -> None:
    elsewhere = Sightings(["eth9"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()[:2]):
            elsewhere.look([])
    assert elsewhere.told("a", "client").others == ()
    elsewhere.close()


def test_what_was_closed_too_fast_to_be_heard_of_is_told(sightings: Sightings) -> None:
    sightings._closed._news.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    assert sightings.told("a", "server").losses == 0
    until_s = time.monotonic() + 5.0
    while not sightings.told("a", "server").losses and time.monotonic() < until_s:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            for _ in range(50):
                with socket.create_connection(listener.getsockname()), listener.accept()[0]:
                    pass
        time.sleep(0.05)  # the kernel tells of them from a queue of its own
        sightings.look([])
    assert sightings.told("a", "server").losses > 0


def test_sockets_beyond_a_records_measure_are_counted(
    sightings: Sightings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()), listener.accept()[0]:
            sightings.look([os.getpid()])
    whole = sightings.told("a", "server")
    assert (len(whole.own) >= 2, whole.left_out) == (True, 0)
    monkeypatch.setattr("harness.roles.sightings.SEEN_MAX", 1)
    told = sightings.told("a", "server")
    assert len(told.own) == 1
    assert told.left_out == len(whole.own) + len(whole.others) - 1 - len(told.others)
