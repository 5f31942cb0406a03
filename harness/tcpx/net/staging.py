"""Pinned host memory through which a device's bytes go out: a slot a send, soon used again.

The copy begins when the send is posted, so with some sends in flight the device copies while the
socket takes what is here already. All slots are pinned when the buffer is registered: the device
may belong to another process by the time that something is sent.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.tcpx.memory import host_buffer
from harness.tcpx.net.plugin import MAX_REQUESTS, DeviceBuffer, Landing


class Staged(NamedTuple):
    """A send's bytes on their way to the host: `view` has them once `copied` is down."""

    slot: NDArray[np.uint8]
    view: memoryview
    copied: Landing
    since_s: float


class Staging:
    """One comm's slots, as many as it may have requests; the last used is the next."""

    def __init__(self, buffer: DeviceBuffer, message_bytes: int) -> None:
        memory = host_buffer(MAX_REQUESTS * message_bytes, shared=True)
        self._free = list(memory.reshape(MAX_REQUESTS, message_bytes))
        self.unpin = buffer.pin(memory)

    def copy(self, buffer: DeviceBuffer, offset: int, size_bytes: int) -> Staged:
        """Begin to copy a piece of `buffer`, which lies on the same device."""
        slot = self._free.pop()
        copied = buffer.read(offset, slot[:size_bytes])
        return Staged(slot, slot.data[:size_bytes], copied, time.monotonic())

    def give(self, staged: Staged) -> None:
        self._free.append(staged.slot)
