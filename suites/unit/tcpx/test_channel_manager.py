"""Channels get the NICs of the list, and fail with their number and NIC."""

from __future__ import annotations

import pytest

from harness.errors import LinkError, LocalProtocolError, RemoteProtocolError, StallError
from harness.tcpx.channel_manager import ChannelManager
from harness.tcpx.net.plugin import NetHandle
from harness.tcpx.net.sockets import Sockets
from suites.unit.tcpx.ends import both, connected

LISTED = ["eth2", "eth10", "lo"]  # the plugin numbers them eth10, eth2, lo


def manager(channels: int, nics: list[str] | None = None, **options: object) -> ChannelManager:
    nics = nics or ["lo"]
    return ChannelManager(Sockets(nics), channels, 0, nics, **options)  # type: ignore[arg-type]


def test_channels_follow_the_list_and_wrap() -> None:
    channels = [manager(7, LISTED).get_channel(i) for i in range(7)]
    assert [c.nic for c in channels] == ["eth2", "eth10", "lo", "eth2", "eth10", "lo", "eth2"]
    assert [c.net_dev for c in channels] == [1, 0, 2, 1, 0, 2, 1], "found by name"


def test_the_mapping_is_said_in_the_transports_words() -> None:
    said: list[str] = []
    manager(2, LISTED, say=said.append)
    assert said == [
        "[ChannelManager] Created 2 channel(s) for GPU 0 (TCPX devices available: 3)",
        "[ChannelManager] Channel 0 → netDev 1 (eth2, PCI=none)",
        "[ChannelManager] Channel 1 → netDev 0 (eth10, PCI=none)",
    ]


def test_chunks_go_round() -> None:
    some = manager(4)
    assert [some.get_channel_for_chunk(i).channel_id for i in range(6)] == [0, 1, 2, 3, 0, 1]


@pytest.mark.parametrize("index", [-1, 4, 64])
def test_a_bad_index_is_an_error(index: int) -> None:
    with pytest.raises(LocalProtocolError, match=rf"Invalid channel index: {index}; .*0\.\.3"):
        manager(4).get_channel(index)


def test_a_nic_that_the_plugin_lacks_is_named_with_its_channel() -> None:
    with pytest.raises(LinkError, match="channel 1: no device is named eth9") as caught:
        ChannelManager(Sockets(["lo"]), 2, 0, ["lo", "eth9"])
    assert caught.value.channel == 1


@pytest.mark.parametrize(("channels", "nics"), [(0, ["lo"]), (1, [])])
def test_no_channel_or_no_nic_is_refused(channels: int, nics: list[str]) -> None:
    with pytest.raises(LocalProtocolError, match="expected 1 or more"):
        ChannelManager(Sockets(["lo"]), channels, 0, nics)


def test_a_failing_channel_is_named_with_its_nic() -> None:
    nics = ["lo", "nosuchnic0"]
    with pytest.raises(LinkError, match="channel 1: nosuchnic0: there is no NIC") as caught:
        ChannelManager(Sockets(nics), 2, 0, nics).server_listen_all()
    assert caught.value.channel == 1


def test_channels_that_nobody_connects_to_are_named() -> None:
    some = manager(3)
    handles = some.server_listen_all()
    client = manager(1)
    with pytest.raises(StallError, match=r"channels 0 \(lo\), 2 \(lo\) were not accepted"):
        both(
            lambda: client.client_connect_all(handles[1:2], 5.0),
            lambda: some.server_accept_all(0.5),
        )
    client.close_all()
    some.close_all()


def test_a_channel_that_nobody_listens_for_is_named() -> None:
    server, client = manager(2), manager(2)
    handles = server.server_listen_all()
    server.close_all()
    with pytest.raises(RemoteProtocolError, match="channel 0: lo: nobody listens at") as caught:
        client.client_connect_all(handles, 5.0)
    assert caught.value.channel == 0


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_wrong_number_of_handles_is_refused(count: int) -> None:
    handles = [NetHandle(raw=bytes(128))] * count
    with pytest.raises(
        RemoteProtocolError, match=f"Handle count mismatch: expected 2, got {count}"
    ):
        manager(2).client_connect_all(handles, 1.0)


def test_accepting_before_listening_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="accept before listen"):
        manager(1).server_accept_all(1.0)


def test_listening_twice_is_refused() -> None:
    some = manager(1)
    some.server_listen_all()
    with pytest.raises(LocalProtocolError, match="second listen"):
        some.server_listen_all()
    some.close_all()


def test_memory_needs_a_connection() -> None:
    with pytest.raises(LocalProtocolError, match="channel 0: lo: not connected"):
        manager(2).register_memory(1, bytearray(10), is_recv=True)


def test_every_channel_registers_the_same_buffer() -> None:
    with connected(channels=3) as ends:
        manager = ends.server.manager
        manager.register_memory(9, bytearray(10), is_recv=True)
        assert [set(manager.get_channel(i).mrs) for i in range(3)] == [{9}] * 3
        manager.deregister_memory(9)
        assert [set(manager.get_channel(i).mrs) for i in range(3)] == [set()] * 3
        with pytest.raises(LocalProtocolError, match=r"mem_id 9; expected one of \[\]"):
            manager.memory(9)


def test_closing_twice_is_harmless() -> None:
    with connected(channels=2) as ends:
        ends.server.manager.close_all()
        ends.server.manager.close_all()
        assert ends.server.manager.get_channel(0).comm is None
