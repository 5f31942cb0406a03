"""The interface's layouts, and the fixture plugin's limits, which are the real one's.

The plugin is called directly here, as nobody else may: what it refuses, the role never asks for.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from ctypes import byref, c_int, c_void_p
from typing import Any

import pytest

from harness.tcpx.net.nccl_net import abi
from harness.tcpx.net.nccl_net.abi import LOGGER, DeviceHandle, DeviceStorage, Properties, TableV7

INTERNAL_ERROR = 3
KIB = 1024


def test_layouts_are_the_interfaces() -> None:
    assert ctypes.sizeof(TableV7) == 152
    assert ctypes.sizeof(Properties) == 56
    assert ctypes.sizeof(DeviceHandle) == 32
    assert (TableV7.init.offset, TableV7.irecvConsumed.offset) == (8, 144)
    assert (Properties.latency.offset, Properties.device_version.offset) == (36, 52)
    assert (DeviceHandle.handle.offset, DeviceHandle.needs_proxy.offset) == (8, 24)


def test_room_for_a_device_handle_is_zeroed_and_aligned() -> None:
    for _ in range(50):
        storage = DeviceStorage()
        assert storage.pointer.value is not None
        assert storage.pointer.value % 16 == 0
        assert storage.handle is not None
        assert (storage.handle.type, storage.handle.handle) == (0, None)


def test_no_pointer_is_no_handle() -> None:
    storage = DeviceStorage()
    storage.pointer.value = None
    assert storage.handle is None


@pytest.mark.parametrize(
    ("code", "name"), [(0, "ncclSuccess (0)"), (3, "ncclInternalError (3)"), (9, "return code 9")]
)
def test_return_codes_are_named(code: int, name: str) -> None:
    assert abi.result_name(code) == name


class Raw:
    """The fixture plugin's table, initialised in this process once."""

    def __init__(self, path: str) -> None:
        self.at: list[str] = []
        self.table = abi.Table(path, self.at.append)
        self.said: list[str] = []
        self._logger = LOGGER(lambda *args: self.said.append(ctypes.string_at(args[4]).decode()))
        assert self.table.call("init", self._logger) == 0

    def connected(self) -> tuple[Any, Any, DeviceStorage]:
        handle, listener = ctypes.create_string_buffer(128), c_void_p()
        assert self.table.call("listen", 0, handle, byref(listener)) == 0
        send, recv, nobody, device = c_void_p(), c_void_p(), DeviceStorage(), DeviceStorage()
        while not (send.value and recv.value):
            if not send.value:
                self.table.call("connect", 0, handle, byref(send), byref(nobody.pointer))
            if not recv.value:
                self.table.call("accept", listener, byref(recv), byref(device.pointer))
        assert self.table.call("closeListen", listener) == 0
        return send, recv, device

    def isend(self, comm: Any, data: Any, mr: Any) -> tuple[int, Any]:
        request = c_void_p()
        code = self.table.call("isend", comm, data, len(data), 0, mr, byref(request))
        return code, request

    def irecv(self, comm: Any, data: Any, mr: Any) -> tuple[int, Any]:
        request, one = c_void_p(), c_void_p * 1
        place, size = one(ctypes.addressof(data)), (c_int * 1)(len(data))
        tags = (c_int * 1)(99)
        code = self.table.call("irecv", comm, 1, place, size, tags, one(mr.value), byref(request))
        return code, request

    def reg_mr(self, comm: Any, data: Any, kind: int = 1) -> tuple[int, Any]:
        mr = c_void_p()
        return self.table.call("regMr", comm, data, len(data), kind, byref(mr)), mr

    def test(self, request: Any) -> tuple[int, int, int]:
        """Code, done, and the size that was said: -7 if none."""
        done, size = c_int(0), c_int(-7)
        return self.table.call("test", request, byref(done), byref(size)), done.value, size.value

    def until_done(self, *requests: Any) -> None:
        left = list(requests)
        while left:
            left = [request for request in left if self.test(request) != (0, 1, -7)]


@pytest.fixture(scope="module")
def raw(nccl_plugin: str) -> Iterator[Raw]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NCCL_GPUDIRECTTCPX_SOCKET_IFNAME", "=lo")
        patch.delenv("NCCL_FIXTURE_FAULT", raising=False)
        yield Raw(nccl_plugin)


@pytest.fixture
def comms(raw: Raw) -> Iterator[tuple[Any, Any]]:
    send, recv, _ = raw.connected()
    yield send, recv
    raw.table.call("closeSend", send)
    raw.table.call("closeRecv", recv)


def test_whoever_watches_knows_the_verb(raw: Raw) -> None:
    assert raw.at[:2] == ["init", ""]


def test_a_second_init_is_refused(raw: Raw) -> None:
    assert raw.table.call("init", raw._logger) == INTERNAL_ERROR
    assert "gpu lib init twice" in raw.said[-1]


def test_the_table_is_read_by_name(raw: Raw) -> None:
    assert raw.table.name == "Fixture_v7"
    assert raw.table.has("irecvConsumed")
    assert not raw.table.has("regMrDmaBuf")


def test_a_device_out_of_range_has_no_name_and_cannot_listen(raw: Raw) -> None:
    props, listener = Properties(), c_void_p()
    assert raw.table.call("getProperties", 7, byref(props)) == 0
    assert props.name == b""
    handle = ctypes.create_string_buffer(128)
    for device in (-1, 7):
        assert raw.table.call("listen", device, handle, byref(listener)) == INTERNAL_ERROR


def test_accept_leaves_a_device_handle(raw: Raw) -> None:
    send, recv, device = raw.connected()
    found = device.handle
    assert found is not None
    assert (found.type, found.version, found.size, found.needs_proxy) == (1, 7, 24, 1)
    assert found.handle
    raw.table.call("closeSend", send)
    raw.table.call("closeRecv", recv)


def test_a_comm_has_16_requests_until_they_are_consumed(raw: Raw, comms: tuple[Any, Any]) -> None:
    send, recv = comms
    data = ctypes.create_string_buffer(KIB)
    (_, send_mr), (_, recv_mr) = raw.reg_mr(send, data), raw.reg_mr(recv, data)
    recvs = [raw.irecv(recv, data, recv_mr) for _ in range(16)]
    sends = [raw.isend(send, data, send_mr) for _ in range(16)]
    assert [code for code, _ in recvs + sends] == [0] * 32
    for verb, comm, mr in ((raw.irecv, recv, recv_mr), (raw.isend, send, send_mr)):
        code, request = verb(comm, data, mr)
        assert (code, request.value) == (INTERNAL_ERROR, None)
        assert "unable to allocate requests" in raw.said[-1]
    for (_, sent), (_, received) in zip(sends, recvs, strict=True):
        raw.until_done(sent, received)
    assert raw.isend(send, data, send_mr)[0] == 0, "a send frees itself"
    assert raw.irecv(recv, data, recv_mr)[0] == INTERNAL_ERROR, "a receive does not"
    assert raw.table.call("irecvConsumed", recv, 1, recvs[1][1]) == INTERNAL_ERROR, "not in order"
    assert raw.table.call("irecvConsumed", recv, 1, recvs[0][1]) == 0
    assert raw.irecv(recv, data, recv_mr)[0] == 0


def test_only_the_oldest_is_tested_and_done_is_said_once(raw: Raw, comms: tuple[Any, Any]) -> None:
    send, recv = comms
    data = ctypes.create_string_buffer(KIB)
    (_, send_mr), (_, recv_mr) = raw.reg_mr(send, data), raw.reg_mr(recv, data)
    (_, first), (_, second) = raw.irecv(recv, data, recv_mr), raw.irecv(recv, data, recv_mr)
    assert raw.test(second)[0] == INTERNAL_ERROR
    assert raw.table.call("irecvConsumed", recv, 1, first) == INTERNAL_ERROR, "not done"
    raw.until_done(raw.isend(send, data, send_mr)[1], first)
    assert raw.test(first)[:2] == (INTERNAL_ERROR, 0)
    assert "test called with invalid request" in raw.said[-1]
    assert raw.test(None)[0] == INTERNAL_ERROR


def test_what_may_be_registered(raw: Raw, comms: tuple[Any, Any]) -> None:
    data = ctypes.create_string_buffer(2 * 4096)
    aligned = ctypes.addressof(data) % 4096 == 0
    assert [raw.reg_mr(comms[1], data, kind)[0] for kind in (0, 1, 4)] == [3, 0, 3]
    assert raw.reg_mr(comms[1], data, 2)[0] == (0 if aligned else 3)
    assert raw.isend(comms[0], data, None)[0] == INTERNAL_ERROR
    assert "mhandle is null" in raw.said[-1]


def test_a_lost_peer_is_a_system_error_and_never_done(raw: Raw) -> None:
    send, recv, _ = raw.connected()
    data = ctypes.create_string_buffer(KIB)
    _, request = raw.irecv(recv, data, raw.reg_mr(recv, data)[1])
    raw.table.call("closeSend", send)
    for _ in range(3):
        assert raw.test(request) == (abi.SYSTEM_ERROR, 0, -7)
    raw.table.call("closeRecv", recv)
