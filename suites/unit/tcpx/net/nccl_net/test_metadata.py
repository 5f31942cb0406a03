"""Descriptors are read where the interface says they are, and no pointer is believed."""

from __future__ import annotations

import ctypes
import struct

import numpy as np
import pytest

from harness.tcpx.memory import host_buffer, shared_file
from harness.tcpx.net.nccl_net.abi import DeviceHandle
from harness.tcpx.net.nccl_net.gpu import LIBRARY
from harness.tcpx.net.nccl_net.mapping import Unreadable
from harness.tcpx.net.nccl_net.metadata import COUNTS_AT, DESCRIPTOR_BYTES, DESCRIPTORS, Metadata
from harness.tcpx.unpack.descriptor import DTYPE
from suites.unit.tcpx.net.nccl_net.driver import PLUGINS_OWN, Driver

METADATA_BYTES = COUNTS_AT + 16 * 8


class Plugin:
    """What a plugin has in its memory after a receive into device memory."""

    def __init__(self) -> None:
        self.metadata = host_buffer(METADATA_BYTES)
        self.bounce = host_buffer(64 << 10, shared=True)
        self.handle = (ctypes.c_uint64 * 3)(
            self.metadata.ctypes.data, self.bounce.ctypes.data, 2**64 - 1
        )
        self.device = DeviceHandle(type=1, version=7, handle=ctypes.addressof(self.handle), size=24)

    def publish(
        self, slot: int, rows: list[tuple[int, int, int]], count: int | None = None
    ) -> None:
        raw = np.array(rows, DTYPE).tobytes()
        start = slot * DESCRIPTORS * DESCRIPTOR_BYTES
        self.metadata[start : start + len(raw)] = np.frombuffer(raw, np.uint8)
        told = struct.pack("<Q", len(rows) if count is None else count)
        at = COUNTS_AT + 8 * slot
        self.metadata[at : at + 8] = np.frombuffer(told, np.uint8)


def test_the_layout_is_the_interfaces() -> None:
    assert METADATA_BYTES == 524_416


@pytest.mark.parametrize("number", [0, 3, 16, 35])
def test_receive_k_has_slot_k_mod_16(number: int) -> None:
    plugin = Plugin()
    rows = [(8192, 4096, 0), (0, 100, 4096)]
    plugin.publish(number % 16, rows)
    found = np.frombuffer(Metadata(plugin.device).descriptors(number), DTYPE)
    assert found.tolist() == rows
    assert Metadata(plugin.device).descriptors(number + 1) == b""


def test_more_descriptors_than_a_slot_has_are_refused() -> None:
    plugin = Plugin()
    plugin.publish(0, [], count=DESCRIPTORS + 1)
    with pytest.raises(Unreadable, match="2049 descriptors in a slot of 2048"):
        Metadata(plugin.device).descriptors(0)


def test_the_file_behind_the_bounce_buffer_is_found() -> None:
    plugin = Plugin()
    file, offset, size = Metadata(plugin.device).bounce()
    assert (file, offset) == shared_file(plugin.bounce)
    assert size == plugin.bounce.size


def test_a_bounce_buffer_that_cannot_be_shared_is_named() -> None:
    plugin = Plugin()
    private = host_buffer(4096)
    plugin.handle[1] = private.ctypes.data
    with pytest.raises(Unreadable, match="memory that cannot be shared"):
        Metadata(plugin.device).bounce()
    plugin.handle[1] = 4096
    with pytest.raises(Unreadable, match="0x1000 is not mapped"):
        Metadata(plugin.device).bounce()


@pytest.mark.parametrize("address", [4096, 2**64 - 4096])
def test_a_pointer_into_nowhere_does_not_crash(address: int) -> None:
    device = DeviceHandle(type=1, version=7, handle=address, size=24)
    with pytest.raises(Unreadable, match=hex(address)):
        Metadata(device)


@pytest.mark.parametrize(
    "device", [None, DeviceHandle(type=0, handle=4096), DeviceHandle(type=1, handle=None)]
)
def test_a_comm_without_metadata_is_named(device: DeviceHandle | None) -> None:
    with pytest.raises(Unreadable, match="no device handle to unpack by"):
        Metadata(device)


class OnGpu:
    """The same in a GPU's memory, as the real plugin has it: descriptors on the host, pinned."""

    def __init__(self, driver: Driver) -> None:
        self.gpu = driver.gpu
        self.bounce, self._driver = driver.take(), driver
        metadata = driver.take_host(METADATA_BYTES)
        self.metadata = np.frombuffer(
            (ctypes.c_uint8 * METADATA_BYTES).from_address(metadata), np.uint8
        )
        self.metadata[:] = 0
        self.handle = driver.take()
        self.say(metadata, self.bounce)
        self.device = DeviceHandle(type=1, version=7, handle=self.handle, size=24)

    def say(self, metadata: int, bounce: int) -> None:
        self._driver.write(self.handle, struct.pack("<QQQ", metadata, bounce, 2**64 - 1))


@pytest.fixture(params=["stand-in", pytest.param("cuda", marks=pytest.mark.gpu)])
def on_gpu(request: pytest.FixtureRequest) -> OnGpu:
    is_real = request.param == "cuda"
    return OnGpu(Driver(LIBRARY if is_real else request.getfixturevalue("no_cuda")))


@pytest.mark.parametrize("number", [2, 31])
def test_a_gpus_handle_leads_to_descriptors_and_to_its_bounce_buffer(
    on_gpu: OnGpu, number: int
) -> None:
    rows = [(8192, 4096, 0), (0, 100, 4096)]
    Plugin.publish(on_gpu, number % 16, rows)  # type: ignore[arg-type]
    metadata = Metadata(on_gpu.device, on_gpu.gpu)
    assert np.frombuffer(metadata.descriptors(number), DTYPE).tolist() == rows
    shared = metadata.shared_bounce()
    assert shared is not None
    assert shared[1:] == (0, PLUGINS_OWN)


def test_ordinary_memory_stays_ordinary_where_there_is_a_gpu(on_gpu: OnGpu) -> None:
    plugin = Plugin()
    plugin.publish(0, [(0, 100, 0)])
    metadata = Metadata(plugin.device, on_gpu.gpu)
    assert len(metadata.descriptors(0)) == DESCRIPTOR_BYTES
    assert metadata.shared_bounce() is None
    assert metadata.bounce()[:2] == shared_file(plugin.bounce)


def test_a_gpus_pointers_are_believed_no_more_than_others(on_gpu: OnGpu) -> None:
    on_gpu.say(4096, on_gpu.bounce)
    with pytest.raises(Unreadable, match="0x"):
        Metadata(on_gpu.device, on_gpu.gpu).descriptors(0)
