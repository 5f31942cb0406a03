"""The kernels that ours is measured beside: streaming copies, and another project's unpack kernel.

The other kernel's source is given by path. nvcc compiles it, host code and includes of its own and
all, and one function is called: `extern "C" __global__ void NAME(const Block *)`, a block of 256
threads a descriptor, 512 bytes of dynamic shared memory. A Block is a header of 40 bytes (u32
count, u32 total_bytes, bounce, destination, flag, u64 threshold) and then the descriptors.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import CudaError, PeerError
from harness.tcpx.cuda import cupy, translated

THREADS = 256
SHARED_BYTES = 512
COMPILE_S = 120.0
HEADER = np.dtype(
    [
        ("count", "<u4"),
        ("total_bytes", "<u4"),
        ("bounce", "<u8"),
        ("destination", "<u8"),
        ("flag", "<u8"),
        ("threshold", "<u8"),
    ]
)
Launcher = Callable[[int, int, Any], Callable[[], Any]]  # to, from, stream

STREAM = """
template <int AHEAD> __device__ void copy(uint4* to, const uint4* from, unsigned long long count) {
  unsigned long long step = (unsigned long long)gridDim.x * blockDim.x;
  unsigned long long k = (unsigned long long)blockIdx.x * blockDim.x + threadIdx.x;
  for (; k + (AHEAD - 1) * step < count; k += AHEAD * step) {
    uint4 v[AHEAD];
#pragma unroll
    for (int j = 0; j < AHEAD; j++) v[j] = from[k + j * step];
#pragma unroll
    for (int j = 0; j < AHEAD; j++) to[k + j * step] = v[j];
  }
  for (; k < count; k += step) to[k] = from[k];
}
#define STREAM(name, ahead) extern "C" __global__ void __launch_bounds__(256) \\
  name(uint4* to, const uint4* from, unsigned long long count) { copy<ahead>(to, from, count); }
STREAM(stream1, 1)
STREAM(stream4, 4)
STREAM(stream8, 8)
"""


@cache
def _stream_module() -> Any:
    with translated("compiling the streaming copies") as gpu:
        return gpu.RawModule(code=STREAM, options=("--std=c++17",))


def streams(size_bytes: int) -> Iterator[tuple[str, Launcher]]:
    """16 bytes a thread at a time, 1, 4 or 8 of them in flight, on several grids."""
    processors = cupy().cuda.Device().attributes["MultiProcessorCount"]
    count = size_bytes // 16
    for ahead in (1, 4, 8):
        whole = max(1, count // THREADS // ahead)
        kernel = _stream_module().get_function(f"stream{ahead}")
        for grid in sorted({whole, *(processors * n for n in (8, 16, 32))}):
            if grid <= whole:
                name = f"stream-{ahead}x16-grid-{'all' if grid == whole else grid}"
                yield name, _streaming(kernel, grid, count)


def _streaming(kernel: Any, grid: int, count: int) -> Launcher:
    def prepared(to: int, source: int, stream: Any) -> Callable[[], Any]:
        args = (np.uint64(to), np.uint64(source), np.uint64(count))
        return lambda: kernel.kernel((grid,), (THREADS,), args, stream=stream)

    return prepared


class Block:
    """One launch's descriptors on the device, in the other kernel's layout."""

    def __init__(self, descriptors: Any, bounce: int, destination: int) -> None:
        header = np.zeros(1, HEADER)
        size = int(descriptors["len"].sum())
        header[0] = (len(descriptors), size & 0xFFFFFFFF, bounce, destination, 0, 0)
        self.count = len(descriptors)
        self.memory = cupy().asarray(np.frombuffer(header.tobytes() + descriptors.tobytes(), "u1"))


class Foreign:
    """Another project's kernel: FILE:NAME."""

    def __init__(self, what: str) -> None:
        path, _, self.name = what.rpartition(":")
        if not path or not Path(path).is_file():
            raise PeerError(f"{what!r} names no source", expected="FILE:NAME")
        nvcc = shutil.which("nvcc")
        if nvcc is None:
            raise PeerError("nvcc is not on the path", expected=f"it, to compile {path}")
        with tempfile.TemporaryDirectory() as folder:
            self._kernel = self._compiled(nvcc, path, f"{folder}/kernel.cubin")

    def _compiled(self, nvcc: str, path: str, cubin: str) -> Any:
        arch = f"-arch=sm_{cupy().cuda.Device().compute_capability}"
        command = [nvcc, arch, "-std=c++17", "-cubin", "-o", cubin, path]
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=COMPILE_S, check=False
        )
        if ran.returncode:
            raise PeerError(f"nvcc refuses it: {ran.stderr.strip()[-500:]}", where=path)
        try:
            with translated(f"loading {path}") as gpu:
                return gpu.RawModule(path=cubin).get_function(self.name).kernel
        except CudaError as error:
            raise PeerError(f"it cannot be loaded: {error}", where=path) from error

    def launch(self, block: Block, stream: Any) -> Callable[[], Any]:
        grid, shared = (block.count,), SHARED_BYTES
        args = (block.memory,)
        return lambda: self._kernel(grid, (THREADS,), args, shared, stream=stream)
