"""Memory that a kernel may touch: the device's own, and pinned host memory.

Ordinary host memory would crash the kernel and with it the process's use of CUDA, so an address is
taken only from an array whose memory CUDA knows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.errors import CudaError
from harness.tcpx.cuda.door import translated


class Span(NamedTuple):
    """Bytes in a row, by their address on the device. `owner` keeps them alive."""

    address: int
    size_bytes: int
    owner: Any = None

    def part(self, start: int, size_bytes: int) -> Span:
        """Some of the bytes."""
        if not 0 <= start <= start + size_bytes <= self.size_bytes:
            raise CudaError(
                f"bytes {start} + {size_bytes} of {self.size_bytes}", expected="a part of them"
            )
        return Span(self.address + start, size_bytes, self.owner)

    def to_host(self) -> NDArray[np.uint8]:
        """A copy of the bytes, waited for."""
        host = np.empty(self.size_bytes, np.uint8)
        with translated(f"copying {self.size_bytes} bytes to the host") as cupy:
            runtime = cupy.cuda.runtime
            runtime.memcpy(host.ctypes.data, self.address, host.size, runtime.memcpyDefault)
        return host


def span(array: Any) -> Span:
    """The bytes of a CuPy array, or of a NumPy array in pinned memory."""
    if isinstance(array, Span):
        return array
    if not array.flags.c_contiguous:
        raise CudaError("an array with gaps", expected="bytes in a row")
    if not array.nbytes:
        return Span(0, 0, array)
    on_device = getattr(array, "__cuda_array_interface__", None)
    address = (on_device or array.__array_interface__)["data"][0]
    with translated("looking an address up") as cupy:
        known = cupy.cuda.runtime.pointerGetAttributes(address).devicePointer
    if not known:
        raise CudaError(
            f"{array.nbytes} bytes of ordinary host memory",
            expected="device memory, or pinned host memory (harness.tcpx.cuda.pinned)",
        )
    return Span(known, array.nbytes, array)


def pinned(size_bytes: int) -> NDArray[np.uint8]:
    """Host memory that the device reaches; freed with the last array that looks at it."""
    with translated(f"pinning {size_bytes} bytes") as cupy:
        memory = cupy.cuda.alloc_pinned_memory(max(1, size_bytes))
    return np.frombuffer(memory, np.uint8, size_bytes)
