"""A device that is none: carries orders out with NumPy, late, on memory that only it should touch.

It stands in for a GPU where there is none, behind the same orders, and passes the same tests. What
it shares, and what it opens, is that of the stand-in for CUDA's driver (fixtures/cuda).
"""

from __future__ import annotations

import ctypes
import os
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import CudaError
from harness.tcpx.damage import POISON as POISON_BYTE
from harness.tcpx.device.buffers import DeviceBuffers
from harness.tcpx.device.orders import FILL, LOOK, OUTCOME, POISON, READ, UNPACK, WRITE
from harness.tcpx.memory import host_buffer, map_file, shared_file
from harness.tcpx.unpack.descriptor import DTYPE
from harness.tcpx.words import ramp, words

Bytes = NDArray[np.uint8]
HANDLE = struct.Struct("<8sqqq32x")  # magic, and the process, file and bytes of the memory
MAGIC = b"hostmem"


def device_buffers(channels: int = 4, message_bytes: int = 1 << 20) -> DeviceBuffers:
    return DeviceBuffers(StandIn(), channels=channels, message_bytes=message_bytes)


class StandIn:
    """Refuses what a real device could not reach."""

    def __init__(self, delay_s: float = 0.0002) -> None:
        self._delay_s = delay_s
        self.pinned: list[tuple[int, int]] = []
        self.adopted: list[tuple[int, int]] = []
        self._held: dict[int, Bytes] = {}  # what is pinned must stay
        self._own: list[tuple[int, int]] = []
        self._memory: list[Bytes] = []

    def allocate(self, size_bytes: int) -> int:
        self._memory.append(host_buffer(size_bytes, shared=True))
        address = self._memory[-1].ctypes.data
        self._own.append((address, size_bytes))
        return address

    def pin(self, array: Bytes) -> Callable[[], None]:
        held = (array.ctypes.data, array.nbytes)
        self.pinned.append(held)
        self._held[held[0]] = array

        def unpin() -> None:
            self.pinned.remove(held)
            del self._held[held[0]]

        return unpin

    def share(self, address: int) -> tuple[bytes, int]:
        memory = next(
            one for one in self._memory if one.ctypes.data <= address <= one.ctypes.data + one.size
        )
        file, start = shared_file(memory)
        assert start == 0
        return HANDLE.pack(MAGIC, os.getpid(), file, memory.size), address - memory.ctypes.data

    def adopt(self, handle: bytes, offset: int) -> tuple[int, Callable[[], None]]:
        magic, pid, number, size = HANDLE.unpack(handle)
        if magic.rstrip(b"\0") != MAGIC or pid == os.getpid():
            raise CudaError("no handle of another process")
        file = os.open(f"/proc/{pid}/fd/{number}", os.O_RDWR)
        memory = map_file(file, 0, size)
        os.close(file)
        held = (memory.ctypes.data + offset, size - offset)
        self.adopted.append(held)
        self._held[held[0]] = memory

        def let_go() -> None:
            self.adopted.remove(held)
            del self._held[held[0]]

        return held[0], let_go

    def begin(self, orders: NDArray[Any]) -> StandIn.Work:
        return self.Work(self, orders)

    class Work:
        """Nothing happens before it must, so that nobody gets anything early."""

        def __init__(self, device: StandIn, orders: NDArray[Any]) -> None:
            self._device, self._orders = device, orders

        def outcomes(self) -> NDArray[Any]:
            time.sleep(self._device._delay_s)
            found = np.zeros(len(self._orders), OUTCOME)
            for order, outcome in zip(self._orders, found, strict=True):
                self._device._do(order, outcome)
            return found

    def _do(self, order: Any, outcome: Any) -> None:
        size, base = int(order["size"]), order["base"]
        memory = self._at(order["address"], size, self._own)
        if order["op"] == UNPACK:
            self._gather(order, memory)
        elif order["op"] == READ:
            self._at(order["host"], size, self.pinned)[:] = memory
        elif order["op"] == WRITE:
            memory[:] = self._at(order["host"], size, self.pinned)
        elif order["op"] == FILL:
            memory[:] = _words(base, size)
        elif order["op"] == POISON:
            memory[:] = POISON_BYTE
        if order["op"] == LOOK or order["verify"]:
            wrong = np.unique(np.flatnonzero(memory != _words(base, size)) // 8)
            first, last = (int(wrong[0]), int(wrong[-1])) if len(wrong) else (0, 0)
            outcome["words"], outcome["wrong"] = words(size), len(wrong)
            outcome["first"], outcome["last"] = first, last

    def _gather(self, order: Any, memory: Bytes) -> None:
        count, sources = int(order["count"]), self.pinned + self.adopted
        raw = self._at(order["descriptors"], count * DTYPE.itemsize, self.pinned)
        for start, length, place in raw.view(DTYPE).tolist():
            memory[place : place + length] = self._at(order["host"] + start, length, sources)

    def _at(self, address: Any, size: int, allowed: list[tuple[int, int]]) -> Bytes:
        address = int(address)
        if not any(at <= address <= address + size <= at + room for at, room in allowed):
            raise CudaError(f"illegal access of {size} bytes at {address:#x}")
        return np.frombuffer((ctypes.c_uint8 * size).from_address(address), np.uint8)


def _words(base: Any, size: int) -> Bytes:
    return (ramp(words(size)) + np.uint64(base)).view(np.uint8)[:size]
