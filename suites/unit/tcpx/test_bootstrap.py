"""The handles travel as announced, or both sides say what went wrong."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from harness.errors import BootstrapError
from harness.tcpx import bootstrap
from harness.tcpx.bootstrap import Connection
from harness.tcpx.net.plugin import NetHandle
from suites.unit.tcpx.ends import both

S = 5.0
SOON_S = 0.05


def handles(count: int) -> list[NetHandle]:
    return [NetHandle(raw=b"\x02\x00" + bytes([i]) * 126) for i in range(count)]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with bootstrap.server_listen("127.0.0.1", 0) as sock:
        yield sock


@pytest.fixture
def ends(listener: socket.socket) -> Iterator[tuple[Connection, Connection]]:
    """The server's and the client's end of one connection."""
    port = listener.getsockname()[1]
    server, client = both(
        lambda: bootstrap.server_accept(listener, S),
        lambda: bootstrap.client_connect("127.0.0.1", port, S),
    )
    with server, client:
        yield server, client


@pytest.mark.parametrize("count", [1, 4, 64])
def test_handles_arrive_as_sent(ends: tuple[Connection, Connection], count: int) -> None:
    server, client = ends
    bootstrap.server_send_handles(server, handles(count), S)
    got = bootstrap.client_recv_handles(client, S)
    assert [handle.raw for handle in got] == [handle.raw for handle in handles(count)]


def test_the_wire_is_a_little_endian_count_and_the_handles(
    ends: tuple[Connection, Connection],
) -> None:
    bootstrap.server_send_handles(ends[0], handles(2), S)
    wire = ends[1].recv_exact(4 + 256, S)
    assert wire == struct.pack("<I", 2) + handles(2)[0].raw + handles(2)[1].raw


def test_handles_may_come_in_pieces(ends: tuple[Connection, Connection]) -> None:
    server, client = ends
    wire = struct.pack("<I", 3) + b"".join(handle.raw for handle in handles(3))

    def dribble() -> None:
        for at in range(0, len(wire), 7):
            server.send_exact(wire[at : at + 7], S)

    _, got = both(dribble, lambda: bootstrap.client_recv_handles(client, S))
    assert len(got) == 3


@pytest.mark.parametrize("count", [0, 65, 0xFFFFFFFF])
def test_a_wrong_count_is_refused_by_its_number(
    ends: tuple[Connection, Connection], count: int
) -> None:
    ends[0].send_exact(struct.pack("<I", count), S)
    with pytest.raises(BootstrapError, match=rf"Invalid channel count: {count} .*1\.\.64"):
        bootstrap.client_recv_handles(ends[1], S)


@pytest.mark.parametrize("count", [0, 65])
def test_a_wrong_count_is_not_sent_either(ends: tuple[Connection, Connection], count: int) -> None:
    with pytest.raises(BootstrapError, match=rf"{count} handles to send; expected 1\.\.64"):
        bootstrap.server_send_handles(ends[0], handles(count), S)


def test_another_programs_words_are_shown(ends: tuple[Connection, Connection]) -> None:
    ends[0].send_exact(b"HTTP/1.1 400 Bad Request\r\n", S)
    with pytest.raises(BootstrapError, match=r"b'HTTP'.*another program"):
        bootstrap.client_recv_handles(ends[1], S)


def test_a_handle_without_an_address_is_refused(ends: tuple[Connection, Connection]) -> None:
    wire = struct.pack("<I", 2) + handles(1)[0].raw + b"A" * 128
    ends[0].send_exact(wire, S)
    with pytest.raises(BootstrapError, match="handle 1 begins with b'AAAAAAAA'"):
        bootstrap.client_recv_handles(ends[1], S)


@pytest.mark.parametrize(("cut", "words"), [(0, "0 of 4"), (3, "3 of 4"), (104, "100 of 512")])
def test_truncated_handles_are_counted(
    ends: tuple[Connection, Connection], cut: int, words: str
) -> None:
    wire = struct.pack("<I", 4) + b"".join(handle.raw for handle in handles(4))
    ends[0].send_exact(wire[:cut], S)
    ends[0].close()
    with pytest.raises(BootstrapError, match=f"closed after {words} bytes"):
        bootstrap.client_recv_handles(ends[1], S)


@pytest.mark.parametrize("said", [b"", struct.pack("<I", 4) + b"\x02"])
def test_silence_ends_at_the_deadline(ends: tuple[Connection, Connection], said: bytes) -> None:
    ends[0].send_exact(said, S)
    with pytest.raises(BootstrapError, match=r"silent for 0\.\d+ s after"):
        bootstrap.client_recv_handles(ends[1], SOON_S)


def test_nobody_comes(listener: socket.socket) -> None:
    with pytest.raises(BootstrapError, match=r"no client came in 0\.05 s"):
        bootstrap.server_accept(listener, SOON_S)


def test_nobody_listens() -> None:
    with bootstrap.server_listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
    with pytest.raises(
        BootstrapError, match=rf"127\.0\.0\.1:{port}: connect\(\) failed: .*refused"
    ):
        bootstrap.client_connect("127.0.0.1", port, SOON_S)


def test_a_client_may_come_before_the_server() -> None:
    with bootstrap.server_listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]

    def serve() -> Connection:
        return bootstrap.server_accept(bootstrap.server_listen("127.0.0.1", port), S)

    client, server = both(lambda: bootstrap.client_connect("127.0.0.1", port, S), serve)
    client.close()
    server.close()


def test_a_port_in_use_is_named(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with pytest.raises(BootstrapError, match=rf"bind\(\) failed on port {port}"):
        bootstrap.server_listen("127.0.0.1", port)


def test_strangers_who_speak_or_leave_are_passed_over(listener: socket.socket) -> None:
    address = listener.getsockname()
    with socket.create_connection(address) as speaker:
        speaker.sendall(b"GET / HTTP/1.1\r\n")
        socket.create_connection(address).close()
        with bootstrap.client_connect(*address, S) as client:
            with bootstrap.server_accept(listener, S) as server:
                bootstrap.server_send_handles(server, handles(4), S)
                assert len(bootstrap.client_recv_handles(client, S)) == 4


def test_strangers_are_told_when_nobody_else_came(listener: socket.socket) -> None:
    with socket.create_connection(listener.getsockname()) as speaker:
        speaker.sendall(b"GET /")
        with pytest.raises(BootstrapError, match=r"refused 127.*which spoke first: b'GET /'"):
            bootstrap.server_accept(listener, SOON_S)


def test_a_client_that_left_before_its_handles_is_noticed(
    ends: tuple[Connection, Connection],
) -> None:
    ends[1].close()
    with pytest.raises(BootstrapError, match="left at once"):
        bootstrap.server_send_handles(ends[0], handles(4), S)


def test_a_second_client_is_refused(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with bootstrap.client_connect("127.0.0.1", port, S):
        with bootstrap.server_accept(listener, S):
            with pytest.raises(BootstrapError, match="refused"):
                bootstrap.client_connect("127.0.0.1", port, SOON_S)


def test_the_connection_serves_for_last_words(ends: tuple[Connection, Connection]) -> None:
    server, client = ends
    bootstrap.server_send_handles(server, handles(1), S)
    bootstrap.client_recv_handles(client, S)
    client.send_exact(b"done", S)
    assert server.recv_exact(4, S) == b"done"
    assert server.peer == client.peer == "127.0.0.1"
