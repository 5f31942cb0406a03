"""Where a test's messages lie: on the host, or on a device, through the same few words."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.tcpx.device.buffers import DeviceBuffers
from harness.tcpx.device.orders import WRITE
from harness.tcpx.memory import host_buffer
from harness.tcpx.net.plugin import PTR_CUDA, PTR_HOST, Completion
from harness.tcpx.unpack import unpack

Bytes = NDArray[np.uint8]
ARENA_BYTES = 192 << 20
PAGE_BYTES = 4096


class Memory(Protocol):
    """`sends` and `receives` are the kinds that messages are registered as."""

    sends: int
    receives: int

    def room(self, size_bytes: int) -> Any:
        """Memory to receive into."""

    def holding(self, data: Bytes) -> Any:
        """Memory to send from, with these bytes."""

    def unpacked(self, completion: Completion) -> Bytes:
        """The message, by way of the unpack step."""

    def clear(self) -> None:
        """Nothing that was given is used any more."""


class Host:
    """Ordinary memory, which any process can map; received into as a device's where told so."""

    sends = PTR_HOST

    def __init__(self, receives: int = PTR_HOST) -> None:
        self.receives = receives

    def room(self, size_bytes: int) -> Bytes:
        return host_buffer(size_bytes or 1, shared=True)

    def holding(self, data: Bytes) -> Bytes:
        buffer = host_buffer(data.size, shared=True)
        buffer[:] = data
        return buffer

    def unpacked(self, completion: Completion) -> Bytes:
        out = np.empty(completion.size_bytes, np.uint8)
        unpack(completion.descriptors, completion.bounce, out)
        return out

    def clear(self) -> None:
        """The last array that looks at memory frees it."""


class OnDevice:
    """A device's memory, all of one allocation."""

    sends = receives = PTR_CUDA

    def __init__(self, buffers: DeviceBuffers) -> None:
        self._buffers = buffers
        self._arena = buffers.make(ARENA_BYTES, shared=True)
        self._used = 0
        self._pinned = host_buffer(8 << 20, shared=True)
        self._unpin = buffers.pin(self._pinned)
        self._intake = buffers.intake(8 << 20)

    def room(self, size_bytes: int) -> Any:
        start = self._used
        self._used += -(-(size_bytes or 1) // PAGE_BYTES) * PAGE_BYTES
        assert self._used <= ARENA_BYTES, "a test that needs more than there is"
        return self._arena[start : start + size_bytes]

    def holding(self, data: Bytes) -> Any:
        """What is written is only ordered: who sends it waits."""
        self._buffers.settle()  # the pinned memory may be written again
        self._pinned[: data.size] = data
        piece = self.room(data.size)
        if data.size:
            host = self._pinned.ctypes.data
            self._buffers.orders.mine.give(WRITE, piece.address, data.size, host=host)
        return piece

    def unpacked(self, completion: Completion) -> Bytes:
        view = self.room(completion.size_bytes)
        descriptors, bounce = completion.descriptors, completion.bounce
        landing = self._intake.unpack(descriptors, bounce, view, 0, None)
        self._buffers.wait(landing)
        return self._buffers.fetch(view).copy()

    def clear(self) -> None:
        self._used = 0
