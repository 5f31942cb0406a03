"""unpack.cu, compiled for a device when it is first needed, and the layouts that both sides share.

LANES threads gather a descriptor, with VECTORS loads of 16 bytes in flight in each: a page. Small
blocks, of two pages or four, measured best; what was tried is in docs/performance.md.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from harness.tcpx.cuda.door import translated
from harness.tcpx.unpack.descriptor import DTYPE

LANES, VECTORS = 64, 4
THREADS = 128
PIECES = {"unpack": 2, "verify": 4}  # descriptors of a block: verified ones share a sum
FEW = 128  # descriptors that travel with their launch
FEW_THREADS = 64

ROW = np.dtype(
    [(name, "<u8") for name in ("descriptors", "bounce", "destination", "size", "base", "flag")]
    + [("count", "<u4"), ("how", "<u4")]
)
TALLY = np.dtype([(name, "<u8") for name in ("words", "wrong", "first", "last", "arrived")])
ONE = np.dtype([("row", ROW), ("descriptors", DTYPE, FEW)])
CLEAR = (0, 0, (1 << 64) - 1, 0, 0)  # a tally before anything was looked at


class Kernels:
    """The kernels of one device. They are launched on the current device, which must be it."""

    def __init__(self) -> None:
        source = resources.files("harness.tcpx.unpack").joinpath("unpack.cu").read_text()
        options = ("--std=c++17", f"-DLANES={LANES}u", f"-DVECTORS={VECTORS}u", f"-DFEW={FEW}")
        with translated("compiling unpack.cu") as cupy:
            module = cupy.RawModule(code=source, options=options)
            self._functions = {name: module.get_function(name).kernel for name in NAMES}

    def launch(
        self, name: str, grid: tuple[int, int], threads: int, args: tuple[Any, ...], stream: Any
    ) -> None:
        """Returns at once. `stream` None is CuPy's current one."""
        self._functions[name](grid, (threads,), args, stream=stream)


NAMES = (
    "unpack_few",
    "verify_few",
    "unpack_many",
    "verify_many",
    "unpack_odd",
    "verify_odd",
    "publish",
    "fill",
)


def blocks_of(threads: int, size: int) -> int:
    """Blocks of that many threads that hold them all."""
    return -(-threads // size)


def kernels() -> Kernels:
    """Those of CuPy's current device."""
    with translated("asking for the device") as cupy:
        return _kernels(cupy.cuda.runtime.getDevice())


@cache
def _kernels(_device: int) -> Kernels:
    return Kernels()
