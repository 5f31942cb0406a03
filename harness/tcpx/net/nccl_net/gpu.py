"""The GPU in the plugin's process: what the role shares is opened, what the plugin has is shared.

By the driver's own library, which is on every machine with a GPU, so that this process loads little
more than the plugin. Its thread has the GPU's context as its current one before the plugin is
loaded: a plugin takes whatever GPU is current for its own. Memory crosses processes as the whole
allocation that it is of, by CUDA's IPC handles; whoever opens one adds its offset.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import Structure, byref, c_char_p, c_int, c_size_t, c_ubyte, c_uint, c_uint64, c_void_p
from typing import Any

LIBRARY = "libcuda.so.1"
HANDLE_BYTES = 64
_MEMORY_TYPE = 2  # CU_POINTER_ATTRIBUTE_MEMORY_TYPE
_HOST, _DEVICE = 1, 2
_LAZY_PEERS = 1  # CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS


class GpuError(Exception):
    """The driver is not there, or a call to it failed."""


class _Handle(Structure):
    """What another process opens memory with."""

    _fields_ = (("raw", c_ubyte * HANDLE_BYTES),)


class Opened:
    """Memory of the role, at `address` in this process."""

    def __init__(self, address: int, close: Callable[[], None]) -> None:
        self.address, self.close = address, close


class Gpu:
    """One GPU, current in the thread that makes this."""

    def __init__(self, index: int, library: str = LIBRARY) -> None:
        try:
            self._cuda = ctypes.CDLL(library)
        except OSError as error:
            raise GpuError(f"CUDA's driver cannot be loaded: {error}") from error
        device, context = c_int(), c_void_p()
        self._call("cuInit", c_uint(0))
        self._call("cuDeviceGet", byref(device), c_int(index))
        self._call("cuDevicePrimaryCtxRetain", byref(context), device)
        self._call("cuCtxSetCurrent", context)

    def open(self, handle: bytes, offset: int) -> Opened:
        """What the role shares by its handle."""
        start, named = c_uint64(), _Handle.from_buffer_copy(handle)
        self._call("cuIpcOpenMemHandle_v2", byref(start), named, c_uint(_LAZY_PEERS))
        return Opened(
            start.value + offset, lambda: self._call("cuIpcCloseMemHandle", c_uint64(start.value))
        )

    def share(self, address: int) -> tuple[bytes, int, int] | None:
        """A handle, how far into its memory `address` is, and the bytes from there on; None for
        what is no GPU's memory."""
        if self._kind(address) != _DEVICE:
            return None
        start, size, handle = c_uint64(), c_size_t(), _Handle()
        self._call("cuMemGetAddressRange_v2", byref(start), byref(size), c_uint64(address))
        self._call("cuIpcGetMemHandle", byref(handle), start)
        offset = address - start.value
        return bytes(handle.raw), offset, size.value - offset

    def read(self, address: int, size_bytes: int) -> bytes | None:
        """Bytes of a GPU's memory, or of host memory that it reaches; None for any other."""
        kinds = {self._kind(address), self._kind(address + size_bytes - 1)}
        if kinds == {_HOST}:
            return ctypes.string_at(address, size_bytes)
        if kinds != {_DEVICE}:
            return None
        here = ctypes.create_string_buffer(size_bytes)
        self._call("cuMemcpyDtoH_v2", here, c_uint64(address), c_size_t(size_bytes))
        return here.raw

    def _kind(self, address: int) -> int:
        """Of memory that CUDA knows; 0 for any other."""
        kind = c_uint()
        known = self._cuda.cuPointerGetAttribute(
            byref(kind), c_int(_MEMORY_TYPE), c_uint64(address)
        )
        return 0 if known else kind.value

    def _call(self, name: str, *arguments: Any) -> None:
        code = getattr(self._cuda, name)(*arguments)
        if code:
            word = c_char_p()
            self._cuda.cuGetErrorName(c_int(code), byref(word))
            raise GpuError(
                f"{name} answered {(word.value or b'an unknown error').decode()} ({code})"
            )
