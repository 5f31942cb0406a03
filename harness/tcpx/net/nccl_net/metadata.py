"""What a plugin that receives into device memory leaves behind: descriptors and a bounce buffer.

The device handle leads to {metadata, bounce buffer, head}; the metadata is 16 slots of 2048
descriptors and then 16 counts. Receive k of a comm has slot k mod 16, and its count holds once
`test` has said done. All three may be a GPU's memory, or ordinary memory.
"""

from __future__ import annotations

import struct

from harness.tcpx.net.nccl_net.abi import DEVICE_UNPACK, DeviceHandle
from harness.tcpx.net.nccl_net.gpu import Gpu, GpuError
from harness.tcpx.net.nccl_net.mapping import Unreadable, file_behind, read

SLOTS = 16
DESCRIPTORS = 2048  # a slot
DESCRIPTOR_BYTES = 16
COUNTS_AT = SLOTS * DESCRIPTORS * DESCRIPTOR_BYTES
_HANDLE = struct.Struct("<QQQ")  # metadata, bounce buffer, head
_COUNT = struct.Struct("<Q")


class Metadata:
    """One receiving comm's."""

    def __init__(self, device: DeviceHandle | None, gpu: Gpu | None = None) -> None:
        self._gpu = gpu
        if device is None or device.type != DEVICE_UNPACK or not device.handle:
            kind = "none" if device is None else f"one of type {device.type}"
            raise Unreadable(f"the comm has no device handle to unpack by ({kind})")
        self._metadata, self._bounce, _ = _HANDLE.unpack(self._read(device.handle, _HANDLE.size))

    def descriptors(self, number: int) -> bytes:
        """Those of the comm's receive `number`, as they lie there."""
        slot = number % SLOTS
        raw = self._read(self._metadata + COUNTS_AT + slot * _COUNT.size, _COUNT.size)
        count: int = _COUNT.unpack(raw)[0]
        if count > DESCRIPTORS:
            raise Unreadable(f"{count} descriptors in a slot of {DESCRIPTORS}")
        start = self._metadata + slot * DESCRIPTORS * DESCRIPTOR_BYTES
        return self._read(start, count * DESCRIPTOR_BYTES) if count else b""

    def bounce(self) -> tuple[int, int, int]:
        """The file behind the bounce buffer, its place in it, and its bytes."""
        return file_behind(self._bounce)

    def shared_bounce(self) -> tuple[bytes, int, int] | None:
        """Of a bounce buffer in a GPU's memory: a handle, its place in what that opens, and its
        bytes; None of any other."""
        try:
            return self._gpu.share(self._bounce) if self._gpu else None
        except GpuError as error:
            raise Unreadable(
                f"the bounce buffer at {self._bounce:#x} is a GPU's memory that cannot be shared, "
                f"as what was itself imported: {error}"
            ) from error

    def _read(self, address: int, size_bytes: int) -> bytes:
        try:
            found = self._gpu.read(address, size_bytes) if self._gpu else None
        except GpuError as error:
            raise Unreadable(f"{address:#x}: {error}") from error
        return read(address, size_bytes) if found is None else found
