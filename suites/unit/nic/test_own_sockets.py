"""What a process sees of its own connections, whoever in it has made them."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from harness.evidence import SocketSeen
from harness.nic.own_sockets import own_tcp_sockets


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as near:
            far, _ = server.accept()
            with far:
                yield near, far


def find(sock: socket.socket) -> list[SocketSeen]:
    """What is listed of one connection's end."""
    ends = (*sock.getsockname(), *sock.getpeername())
    return [seen for seen in own_tcp_sockets() if seen.ends == ends]


def test_both_ends_are_ours_with_their_bytes(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    near.sendall(b"x" * 7000)
    assert len(far.recv(7000, socket.MSG_WAITALL)) == 7000
    (sender,), (receiver,) = find(near), find(far)
    assert sender.bytes_sent == receiver.bytes_received == 7000
    assert (sender.nic, sender.bound_device) == ("lo", "")


def test_it_stays_open_for_its_owner(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    own_tcp_sockets()
    near.sendall(b"still here")
    assert far.recv(10, socket.MSG_WAITALL) == b"still here"


def test_a_bound_device_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as near:
        near.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        near.connect(server.getsockname())
        (bound,) = find(near)
    assert bound.bound_device == "lo"


def test_what_is_not_connected_or_not_tcp_is_left_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socketpair()[0]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.connect(("127.0.0.1", 9))
            ports = {server.getsockname()[1], datagrams.getsockname()[1]}
            assert not [seen for seen in own_tcp_sockets() if seen.local_port in ports]


def test_ipv4_inside_ipv6_is_ipv4_with_its_nic() -> None:
    """As a library sees it that listens on both with one socket."""
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as near, server.accept()[0]:
            (seen,) = [s for s in own_tcp_sockets() if s.local_port == port]
            assert seen.ends == (*near.getpeername(), *near.getsockname())
    assert seen.nic == "lo"
