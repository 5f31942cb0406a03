"""Where a receive lands, and what is to be unpacked from there.

Host memory: the plugin writes to the place that it is given, however much arrives and whatever was
posted. So it is given a slot of ours with a guard behind the posted bytes, and the descriptors are
ours. Device memory: the plugin's own bounce buffer, which is opened here, and its own descriptors.
Either way the message is unpacked from where it landed, as with every transport.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.errors import PluginError, RemoteProtocolError
from harness.tcpx.memory import host_buffer, map_file, shared_file
from harness.tcpx.net.comm import Request
from harness.tcpx.net.nccl_net.line import Line
from harness.tcpx.net.plugin import MAX_REQUESTS, PAGE_BYTES, PTR_HOST, DeviceBuffer
from harness.tcpx.unpack.descriptor import DTYPE

Bytes = NDArray[np.uint8]
SLOTS_MR = 0  # the number of the slots' registration; those of the caller begin at 1


class Target(Protocol):
    """One kind of place."""

    bounce: Any

    def place(self, request: Request) -> tuple[int, int]:
        """Registration and offset to post the request with."""

    def arrived(self, request: Request, data: bytes) -> NDArray[Any]:
        """The descriptors of a request that is done."""

    def free(self, request: Request) -> None:
        """The message has been unpacked."""


class Slots:
    """16 slots of shared memory, registered once; each posted receive ends at a guard."""

    def __init__(self, line: Line, message_bytes: int) -> None:
        self._pitch = (-(-message_bytes // PAGE_BYTES) + 1) * PAGE_BYTES
        self.bounce = host_buffer(MAX_REQUESTS * self._pitch, shared=True)
        self._guard = np.frombuffer(os.urandom(PAGE_BYTES), np.uint8)
        self._free = [number * self._pitch for number in reversed(range(MAX_REQUESTS))]
        self._taken: dict[int, int] = {}  # request's number -> first byte of its slot
        file, offset = shared_file(self.bounce)
        line.call(
            "regMr",
            files=[file],
            mr=SLOTS_MR,
            offset=offset,
            size=self.bounce.size,
            type=PTR_HOST,
        )

    def place(self, request: Request) -> tuple[int, int]:
        start = self._taken[request.number] = self._free.pop()
        self._behind(start, request.size_bytes)[:] = self._guard
        return SLOTS_MR, start

    def arrived(self, request: Request, data: bytes) -> NDArray[Any]:
        start, size = self._taken[request.number], request.size_bytes
        if not np.array_equal(self._behind(start, size), self._guard):
            raise RemoteProtocolError(
                f"the plugin wrote more than was posted into a receive of {size}",
                expected=f"at most {size} bytes",
                fix="Both roles must use the same plan",
            )
        return _row(start, size)

    def free(self, request: Request) -> None:
        self._free.append(self._taken.pop(request.number))

    def _behind(self, start: int, size_bytes: int) -> Bytes:
        return self.bounce[start + size_bytes : start + size_bytes + PAGE_BYTES]


class Pages:
    """The plugin's bounce buffer; the request's own memory only gets what is unpacked into it. A
    device's is opened by way of the first `buffer` that is registered, which is of that device."""

    def __init__(self, line: Line, buffer: DeviceBuffer | None = None) -> None:
        said = line.call("bounce")
        at = said.body
        self.close: Callable[[], None] = lambda: None
        try:
            if "handle" not in at:
                self.bounce: Any = map_file(said.files[0], at["offset"], at["size"])
                if buffer is not None:  # of a device that is to fetch from there
                    self.close = buffer.pin(self.bounce)
            elif buffer is not None:
                handle = bytes.fromhex(at["handle"])
                self.bounce, self.close = buffer.adopt(handle, at["offset"], at["size"])
            else:
                raise PluginError(
                    "the plugin's bounce buffer is a GPU's memory",
                    expected="memory of the host, as what was registered",
                )
        finally:
            said.close_files()

    def place(self, request: Request) -> tuple[int, int]:
        mr: Any = request.mr
        return mr.number, request.offset

    def arrived(self, request: Request, data: bytes) -> NDArray[Any]:
        descriptors = np.frombuffer(data, DTYPE)
        arrived = int(descriptors["len"].sum(dtype=np.uint64))
        if arrived != request.size_bytes:
            raise RemoteProtocolError(
                f"the peer sent {arrived} bytes into a receive of {request.size_bytes}",
                expected=f"the {request.size_bytes} bytes that both sides agreed on",
                fix="Both roles must use the same plan",
            )
        return descriptors

    def free(self, request: Request) -> None:
        """The plugin takes its pages back when it is told that they are consumed."""


def _row(start: int, size_bytes: int) -> NDArray[Any]:
    """The descriptors of a message that lies in a row."""
    pages = -(-size_bytes // PAGE_BYTES)
    row = np.empty(pages, DTYPE)
    row["dst_off"] = np.arange(pages) * PAGE_BYTES
    row["src_off"] = start + row["dst_off"]
    row["len"] = PAGE_BYTES
    if tail := size_bytes % PAGE_BYTES:
        row["len"][-1] = tail
    return row
