"""What the sockets add to the verbs: names, devices, exact accounts, and no ear for strangers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from harness.errors import LinkError, LocalProtocolError, RemoteProtocolError, StallError
from harness.tcpx.net.handle import Listening
from harness.tcpx.net.plugin import PTR_HOST, NetHandle
from harness.tcpx.net.sockets import Sockets
from harness.tcpx.unpack import unpack

SIZE = 300_000


def connected(net: Sockets) -> tuple[Any, Any]:
    handle, listener = net.listen(0)
    return join(net, handle, listener)


def connect(net: Sockets, handle: NetHandle) -> Any:
    until_s = time.monotonic() + 5
    while (comm := net.connect(0, handle)) is None:
        assert time.monotonic() < until_s, "no connection"
    return comm


def join(net: Sockets, handle: NetHandle, listener: Any) -> tuple[Any, Any]:
    send = recv = None
    until_s = time.monotonic() + 5
    while send is None or recv is None:
        assert time.monotonic() < until_s, "no connection"
        send = send if send is not None else net.connect(0, handle)
        recv = recv if recv is not None else net.accept(listener)
    net.close_listen(listener)
    return send, recv


@pytest.fixture(params=[1, 3])
def net(request: pytest.FixtureRequest) -> Sockets:
    return Sockets(["lo"], sockets_per_channel=request.param)


@pytest.fixture
def comms(net: Sockets) -> Iterator[tuple[Any, Any]]:
    send, recv = connected(net)
    yield send, recv
    net.close_send(send)
    net.close_recv(recv)


def move(net: Sockets, send: Any, recv: Any, count: int) -> None:
    data, out = np.arange(SIZE, dtype=np.uint8), np.zeros(SIZE, np.uint8)
    source, target = net.reg_mr(send, data, PTR_HOST), net.reg_mr(recv, out, PTR_HOST)
    for _ in range(count):
        incoming = net.irecv(recv, target, 0, SIZE, 0)
        outgoing = net.isend(send, source, 0, SIZE, 0)
        sent = False
        while not (completion := net.test(incoming)).done:
            sent = sent or net.test(outgoing).done
            net.wait(recv, 0.001)
        if not sent:
            assert net.test(outgoing).done
        unpack(completion.descriptors, completion.bounce, out)
        net.irecv_consumed(recv, incoming)
        assert np.array_equal(out, data)


def test_devices_are_numbered_by_name_not_by_the_list() -> None:
    net = Sockets(["eth2", "lo", "eth10", "eth2"])
    assert [net.get_properties(i).name for i in range(net.devices())] == ["eth10", "eth2", "lo"]


def test_a_missing_nic_is_named_when_it_is_used() -> None:
    net = Sockets(["nosuchnic0"])
    with pytest.raises(LinkError, match="nosuchnic0"):
        net.listen(0)


def test_an_address_that_is_not_the_nics_is_named() -> None:
    net = Sockets(["lo"], addresses={"lo": "192.0.2.1"})
    with pytest.raises(LinkError, match=r"cannot bind to 192\.0\.2\.1 on lo"):
        net.listen(0)


def test_the_address_may_be_chosen(net: Sockets) -> None:
    net = Sockets(["lo"], addresses={"lo": "127.0.0.9"})
    handle, listener = net.listen(0)
    net.close_listen(listener)
    assert Listening.from_handle(handle).address == "127.0.0.9"


def test_sockets_are_bound_to_the_nic(net: Sockets, comms: tuple[Any, Any]) -> None:
    for comm in comms:
        for info in net.sockets_of(comm):
            assert info.bound_device == "lo"
            assert info.local_address == info.peer_address == "127.0.0.1"


def test_the_kernels_bytes_are_payload_plus_frames_exactly(
    net: Sockets, comms: tuple[Any, Any]
) -> None:
    send, recv = comms
    move(net, send, recv, 6)
    net.wait_acked(send, 5.0)
    sent, received = net.counts_of(send), net.counts_of(recv)
    assert sent == received
    assert sum(counts.payload_bytes for counts in sent) == 6 * SIZE
    assert net.frame_bytes(send) == 16 * (6 + len(sent))
    for counts, out, back in zip(sent, net.sockets_of(send), net.sockets_of(recv), strict=True):
        carried = counts.payload_bytes + counts.frame_bytes
        assert out.bytes_sent - out.bytes_retrans == back.bytes_received == carried
        assert carried <= out.bytes_acked <= carried + 2, "SYN and FIN"
        assert back.bytes_sent == 16, "the welcome"


def test_requests_take_turns_on_a_comms_sockets() -> None:
    net = Sockets(["lo"], sockets_per_channel=3)
    send, recv = connected(net)
    move(net, send, recv, 6)
    assert [counts.payload_bytes for counts in net.counts_of(send)] == [2 * SIZE] * 3
    net.close_send(send)
    net.close_recv(recv)


def test_a_sender_that_is_not_heard_is_named(net: Sockets, comms: tuple[Any, Any]) -> None:
    send, _ = comms
    data = np.zeros(8 << 20, np.uint8)
    mr = net.reg_mr(send, data, PTR_HOST)
    head = net.isend(send, mr, 0, data.size, 0)
    net.test(head)
    while net.test(head).done:
        head = net.isend(send, mr, 0, data.size, 0)
    with pytest.raises(StallError, match="not acknowledged"):
        net.wait_acked(send, 0.01)


def test_more_than_the_largest_message_is_refused() -> None:
    net = Sockets(["lo"], max_message_bytes=1000)
    send, recv = connected(net)
    mr = net.reg_mr(recv, np.zeros(2000, np.uint8), PTR_HOST)
    with pytest.raises(LocalProtocolError, match="1001 bytes; expected at most 1000"):
        net.irecv(recv, mr, 0, 1001, 0)
    net.close_send(send)
    net.close_recv(recv)


@pytest.mark.parametrize("size", [0, (8 << 20) + 1])
def test_a_message_size_that_descriptors_cannot_tell_is_refused(size: int) -> None:
    with pytest.raises(LocalProtocolError, match=f"messages of {size} bytes"):
        Sockets(["lo"], max_message_bytes=size)


def test_a_verb_refuses_the_other_kind_of_comm(net: Sockets, comms: tuple[Any, Any]) -> None:
    send, recv = comms
    mr = net.reg_mr(recv, np.zeros(1, np.uint8), PTR_HOST)
    with pytest.raises(LocalProtocolError, match="a RecvComm; expected a SendComm"):
        net.isend(recv, mr, 0, 1, 0)
    with pytest.raises(LocalProtocolError, match="a SendComm; expected a RecvComm"):
        net.irecv(send, mr, 0, 1, 0)
    with pytest.raises(LocalProtocolError, match="a SendComm; expected a RecvComm"):
        net.irecv_consumed(send, net.isend(send, mr, 0, 1, 0))
    with pytest.raises(LocalProtocolError, match="a NoneType; expected a Comm"):
        net.wait(None, 0.0)


def test_memory_of_no_known_kind_is_refused(net: Sockets, comms: tuple[Any, Any]) -> None:
    with pytest.raises(LocalProtocolError, match="memory of type 4"):
        net.reg_mr(comms[0], np.zeros(1, np.uint8), 4)


def test_a_read_only_buffer_cannot_receive(net: Sockets, comms: tuple[Any, Any]) -> None:
    net.reg_mr(comms[0], b"may be sent", PTR_HOST)
    with pytest.raises(LocalProtocolError, match="read-only"):
        net.reg_mr(comms[1], b"may not be written", PTR_HOST)


def test_what_is_no_buffer_is_refused(net: Sockets, comms: tuple[Any, Any]) -> None:
    with pytest.raises(LocalProtocolError, match="no flat buffer"):
        net.reg_mr(comms[0], object(), PTR_HOST)


# -- strangers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [b"GET / HTTP/1.1\r\n\r\n", b"\0" * 16, b"TCXh"])
def test_a_stranger_on_the_data_port_is_refused_and_disturbs_nobody(
    net: Sockets, words: bytes
) -> None:
    handle, listener = net.listen(0)
    where = Listening.from_handle(handle)
    with socket.create_connection((where.address, where.port)) as stranger:
        stranger.sendall(words)
        if len(words) < 16:
            stranger.shutdown(socket.SHUT_WR)
        until_s = time.monotonic() + 5
        while not listener.refused:
            assert time.monotonic() < until_s
            assert net.accept(listener) is None
        send, recv = join(net, handle, listener)
        stranger.settimeout(5)
        with suppress(ConnectionResetError):
            assert stranger.recv(1) == b"", "the stranger is closed"
        move(net, send, recv, 3)
    assert len(listener.refused) == 1
    assert "127.0.0.1" in listener.refused[0]
    net.close_send(send)
    net.close_recv(recv)


def test_silent_strangers_do_not_fill_the_door(net: Sockets) -> None:
    handle, listener = net.listen(0)
    where = Listening.from_handle(handle)
    strangers = []
    for _ in range(70):
        strangers.append(socket.create_connection((where.address, where.port)))
        assert net.accept(listener) is None
    send, recv = join(net, handle, listener)
    move(net, send, recv, 1)
    assert any("said nothing" in refused for refused in listener.refused)
    for stranger in strangers:
        stranger.close()
    net.close_send(send)
    net.close_recv(recv)


def test_a_wrong_nonce_is_refused(net: Sockets) -> None:
    handle, listener = net.listen(0)
    raw = bytearray(handle.raw)
    raw[48] ^= 1
    wrong = NetHandle(raw=bytes(raw))
    assert net.connect(0, wrong) is None
    with pytest.raises(RemoteProtocolError, match="expected the listener that made the handle"):
        join(net, wrong, listener)
    net.close_listen(listener)


def test_another_program_behind_a_handle_is_named(net: Sockets) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = Listening(address="127.0.0.1", port=server.getsockname()[1], sockets=1, nonce=1)
        handle = where.to_handle()
        assert net.connect(0, handle) is None
        program, _ = server.accept()
        program.sendall(b"220 mail.example.org ESMTP")
        with pytest.raises(RemoteProtocolError, match="220 mail"):
            connect(net, handle)
        program.close()


def test_a_listener_that_is_gone_is_named(net: Sockets) -> None:
    handle, listener = net.listen(0)
    net.close_listen(listener)
    with pytest.raises(RemoteProtocolError, match="nobody listens at 127"):
        connect(net, handle)
