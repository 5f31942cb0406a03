"""A driver as a plugin uses it, in this process: the stand-in's, or the real one."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_size_t, c_uint, c_uint64, c_void_p

from harness.tcpx.net.nccl_net.gpu import Gpu

PLUGINS_OWN = 2 << 20  # bytes: memory that others open begins and ends with a page of the device


class Driver:
    """Memory that is taken and written by the driver's own calls; `gpu` makes the same calls."""

    def __init__(self, library: str) -> None:
        self.gpu = Gpu(0, library)
        self._cuda = ctypes.CDLL(library)

    def take(self, size_bytes: int = PLUGINS_OWN) -> int:
        address = c_uint64()
        assert self._cuda.cuMemAlloc_v2(byref(address), c_size_t(size_bytes)) == 0
        return address.value

    def take_host(self, size_bytes: int) -> int:
        address = c_void_p()
        assert self._cuda.cuMemHostAlloc(byref(address), c_size_t(size_bytes), c_uint(2)) == 0
        assert address.value is not None
        return address.value

    def write(self, address: int, data: bytes) -> None:
        size = c_size_t(len(data))
        assert self._cuda.cuMemcpyHtoD_v2(c_uint64(address), data, size) == 0
