"""A session speaks to one peer, in the transport's order, and refuses any other."""

from __future__ import annotations

import json

import pytest

from harness.errors import LocalProtocolError, RemoteProtocolError
from harness.tcpx.net.sockets import Sockets
from harness.tcpx.session import Session
from suites.unit.tcpx.ends import both, connected


def session(channels: int = 2) -> Session:
    return Session(Sockets(["lo"]), gpu=3, channels=channels, nics=["lo"])


def test_conn_info_lists_a_handle_a_channel() -> None:
    server = session(3)
    info = json.loads(server.listen())
    assert info["num_channels"] == server.num_channels == 3
    assert info["handles"] == [handle.raw.hex() for handle in server.handles]
    server.close()


def test_both_sides_know_the_listeners_handles() -> None:
    with connected(channels=2) as ends:
        for index in range(2):
            server, client = (
                side.manager.get_channel(index).handle for side in (ends.server, ends.client)
            )
            assert server is not None
            assert client is not None
            assert server.raw == client.raw


def test_mem_ids_count_from_one() -> None:
    with connected() as ends:
        ids = [ends.server.register_memory(bytearray(8), is_recv=True) for _ in range(3)]
        assert ids == [1, 2, 3]
        assert ends.server.get_memory_handle(2) is not ends.server.get_memory_handle(2, channel=1)
        ends.server.deregister_memory(2)
        with pytest.raises(LocalProtocolError, match="mem_id 2"):
            ends.server.get_memory_handle(2)


def test_a_transfer_needs_a_connection() -> None:
    with pytest.raises(LocalProtocolError, match="Not connected to 'client'; expected a peer"):
        session().create_transfer("client")
    with connected() as ends:
        with pytest.raises(LocalProtocolError, match="Not connected to 'other'; expected 'client'"):
            ends.server.create_transfer("other")


def test_connecting_needs_conn_info() -> None:
    with pytest.raises(LocalProtocolError, match="no conn_info of 'server'"):
        session().connect("server")


def test_conn_info_of_other_channels_is_refused() -> None:
    server, client = session(3), session(2)
    client.load_remote_conn_info("server", server.listen())
    with pytest.raises(RemoteProtocolError, match="Handle count mismatch: expected 2, got 3"):
        client.connect("server")
    server.close()


def test_a_second_connection_is_refused() -> None:
    with connected() as ends:
        for call in (ends.server.accept, ends.client.connect):
            with pytest.raises(LocalProtocolError, match="a second connection"):
                call("another")


def test_a_session_may_connect_again_after_disconnecting() -> None:
    with connected(channels=2) as ends:
        ends.server.disconnect("client")
        ends.client.disconnect("server")
        with pytest.raises(LocalProtocolError, match="Not connected"):
            ends.server.disconnect("client")
        ends.client.load_remote_conn_info("server", ends.server.listen())
        both(lambda: ends.server.accept("client", 5.0), lambda: ends.client.connect("server", 5.0))
        ends.server.create_transfer("client").release()


def test_what_happens_is_said_in_the_transports_words() -> None:
    with connected(channels=2) as ends:
        ends.client.register_memory(bytearray(64), is_recv=False)
    for line in (
        "[ChannelManager] Channel 1: Listening on netDev=0",
        "[ChannelManager] All 2 channels listening successfully",
        "[ChannelManager] All 2 channels accepted successfully",
        "[ChannelManager] All 2 channels connected successfully",
        "[ChannelManager] Registering HOST memory for send: mem_id=1, size=64",
        "[ChannelManager] All channels closed",
    ):
        assert line in ends.said
