"""Grants on the wire, and what is none."""

from __future__ import annotations

import contextlib
import socket

import pytest

from harness.errors import BootstrapError, PeerGoneError, RemoteProtocolError
from harness.plan import Plan
from harness.roles import grants
from harness.tcpx.bootstrap import Connection

PLAN = Plan(
    size_bytes=3, chunk_bytes=1, iterations=100, channels=2, distribution="least-loaded"
)  # 300 tags


class Pair:
    """Both ends of a connection."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.server = Connection(socket.create_connection(listener.getsockname()))
            self.client = Connection(listener.accept()[0])


def test_grants_arrive_as_they_were_given() -> None:
    pair = Pair()
    given = [(tag % 2, tag) for tag in range(300)]
    for channel, tag in given:
        grants.send(pair.server, channel, tag, 1.0)
    assert list(grants.read(pair.client, PLAN, lambda: 1.0)) == given


def test_a_grant_is_five_bytes_little_endian() -> None:
    pair = Pair()
    grants.send(pair.server, 1, 258, 1.0)
    assert pair.client.recv_exact(5, 1.0) == b"\x01\x02\x01\x00\x00"


@pytest.mark.parametrize(("channel", "tag"), [(2, 0), (0, 300)])
def test_what_the_plan_does_not_have_is_refused(channel: int, tag: int) -> None:
    pair = Pair()
    grants.send(pair.server, channel, tag, 1.0)
    with pytest.raises(RemoteProtocolError, match=f"chunk {tag} on channel {channel}; expected"):
        next(grants.read(pair.client, PLAN, lambda: 1.0))


def test_grants_that_end_early_are_an_error() -> None:
    pair = Pair()
    grants.send(pair.server, 0, 0, 1.0)
    pair.server.close()
    with pytest.raises(BootstrapError, match="closed after 0 of 5 bytes"):
        list(grants.read(pair.client, PLAN, lambda: 1.0))


def test_a_client_that_left_is_an_echo() -> None:
    pair = Pair()
    pair.client.close()
    with contextlib.suppress(PeerGoneError):
        grants.send(pair.server, 0, 0, 1.0)  # is answered with a reset
    with pytest.raises(PeerGoneError, match="takes no grants"):
        grants.send(pair.server, 0, 1, 1.0)
