"""A GPU as the device of a role's orders: one stream, two batches at a time.

All unpacking of a batch is one launch, whichever channels it came from. What was received is first
copied to where a twin of the bounce buffer lies on the device: a kernel that reads host memory by
itself is ten times slower. Another process's bounce buffer on this device needs none. Descriptors
are kept there too, since the same ones come again and again.
"""

from __future__ import annotations

import ctypes
import os
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import CudaError
from harness.tcpx.cuda.door import translated
from harness.tcpx.cuda.kernels import (
    CLEAR,
    LANES,
    PIECES,
    ROW,
    TALLY,
    THREADS,
    blocks_of,
    kernels,
)
from harness.tcpx.cuda.memory import pinned, span
from harness.tcpx.damage import POISON as POISON_BYTE
from harness.tcpx.device.buffers import DeviceBuffers
from harness.tcpx.device.orders import FILL, LOOK, OUTCOME, POISON, READ, UNPACK, WRITE
from harness.tcpx.unpack.arrangement import How
from harness.tcpx.unpack.descriptor import DTYPE
from harness.tcpx.words import WORD_BYTES

_PORTABLE = 1  # cudaHostRegisterPortable: for every context of the process
_REMEMBERED = 256  # messages: the slots that 16 channels of a GPU use at most
_GRANULE = 2 << 20  # of the device's own pages: what another process opens begins and ends with one
_BLOCKS = 1024  # of a look or a fill, at most
_ROWS = 256  # of a table, at first


def cuda_buffers(
    index: int, *, channels: int, message_bytes: int, pieces: int = 0
) -> DeviceBuffers:
    """Memory of CUDA device `index`; NoCudaError where there is none."""
    sizes = {"channels": channels, "message_bytes": message_bytes, "pieces": pieces}
    return DeviceBuffers(CudaDevice(index), **sizes)


class _Table:
    """The requests of one batch, and what the kernels say of them, in pinned memory. Kernels read
    the requests on the device, for every thread reads them."""

    def __init__(self, rows: int) -> None:
        self.rows = pinned(rows * ROW.itemsize).view(ROW)
        self.results = pinned(rows * TALLY.itemsize).view(TALLY)
        self.pinned_at, self.results_at = span(self.rows).address, span(self.results).address
        with translated("taking device memory for requests") as cupy:
            clear = np.array([CLEAR] * rows, TALLY).view(np.uint8)
            self._tallies = cupy.asarray(clear)
            self.tallies_at = int(self._tallies.data.ptr)
            self._rows = cupy.empty(self.rows.nbytes, np.uint8)
            self.rows_at = int(self._rows.data.ptr)
            self.event = cupy.cuda.Event(disable_timing=True)
            cupy.cuda.get_current_stream().synchronize()


class CudaWork:
    """A batch on the stream. `verified` are its orders that have results, in the table's order."""

    def __init__(self, table: _Table, count: int, verified: list[NDArray[np.intp]]) -> None:
        self._table, self._count, self._verified = table, count, verified

    def outcomes(self) -> NDArray[Any]:
        with translated("carrying out orders"):
            self._table.event.synchronize()
        found = np.zeros(self._count, OUTCOME)
        start = 0
        for chosen in self._verified:
            found[chosen] = self._table.results[start : start + len(chosen)]
            start += len(chosen)
        return found


class CudaDevice:
    """The GPU's side of the orders."""

    def __init__(self, index: int) -> None:
        self._index = index
        os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # as NVML and the inventory count
        with translated(f"using CUDA device {index}") as cupy:
            cupy.cuda.Device(index).use()
            self._runtime = cupy.cuda.runtime
            self._stream = cupy.cuda.Stream(non_blocking=True)
            self._kernels = kernels()
        self._memory: list[Any] = []  # no pool's: whoever opens it elsewhere opens all of it
        self._pinned: dict[int, NDArray[np.uint8]] = {}  # by address; what is pinned must stay
        # Memory that is freed while it is pinned cannot be pinned by whoever gets its address.
        # A process that ends lets all of it go.
        weakref.finalize(self, _unpin_all, self._runtime, self._pinned).atexit = False
        self._twins: dict[int, int] = {}  # a bounce buffer's address -> its twin's on the device
        # Bounce buffers of other processes: how many comms have each. CUDA counts openings too.
        self._adopted: Counter[int] = Counter()
        self._lists: dict[bytes, Any] = {}  # descriptors -> their copy on the device
        self._tables: Iterator[int] = cycle(range(2))
        self._table = [_Table(_ROWS) for _ in range(2)]
        self._is_used = False  # by the thread that begins batches

    def allocate(self, size_bytes: int) -> int:
        with translated(f"taking {size_bytes} bytes of device {self._index}") as cupy:
            memory = cupy.cuda.Memory(-(-max(1, size_bytes) // _GRANULE) * _GRANULE)
        self._memory.append(memory)
        return int(memory.ptr)

    def share(self, address: int) -> tuple[bytes, int]:
        for memory in self._memory:
            if memory.ptr <= address < memory.ptr + memory.size:
                with translated(f"sharing memory of device {self._index}"):
                    return self._runtime.ipcGetMemHandle(memory.ptr), address - memory.ptr
        raise CudaError(f"memory at {address:#x} is to be shared", expected="some of this device's")

    def adopt(self, handle: bytes, offset: int) -> tuple[int, Callable[[], None]]:
        with translated(f"opening another process's memory of device {self._index}"):
            start = int(self._runtime.ipcOpenMemHandle(handle))
        self._adopted[start + offset] += 1

        def let_go() -> None:
            self._adopted[start + offset] -= 1
            with translated("letting another process's memory go"):
                self._runtime.ipcCloseMemHandle(start)

        return start + offset, let_go

    def pin(self, array: NDArray[np.uint8]) -> Callable[[], None]:
        address = array.ctypes.data
        with translated(f"pinning {array.size} bytes"):
            self._runtime.hostRegister(address, array.nbytes, _PORTABLE)
        self._pinned[address] = array

        def unpin() -> None:
            with translated(f"letting {array.size} pinned bytes go"):
                self._runtime.hostUnregister(address)
            del self._pinned[address]
            self._twins.pop(address, None)  # the next buffer there may be larger

        return unpin

    def begin(self, orders: NDArray[Any]) -> CudaWork:
        with translated("carrying out orders") as cupy:
            if not self._is_used:
                cupy.cuda.Device(self._index).use()
                self._is_used = True
            table = self._room(len(orders))
            ops = orders["op"]
            for op in set(ops.tolist()) - {UNPACK, LOOK}:
                _DO[op](self, orders[ops == op])
            verified = self._gather(table, orders)
            table.event.record(self._stream)
        return CudaWork(table, len(orders), verified)

    def _room(self, count: int) -> _Table:
        """The table of the batch before the last one, which has ended; larger if need be."""
        turn = next(self._tables)
        if len(self._table[turn].rows) < count:
            self._table[turn] = _Table(2 * count)
        return self._table[turn]

    def _gather(self, table: _Table, orders: NDArray[Any]) -> list[NDArray[np.intp]]:
        """Unpack and look: one launch for what is verified, one for what is not."""
        gathers = (orders["op"] == UNPACK) | (orders["op"] == LOOK)
        verified, start = [], 0
        for verify, what in ((1, "verify"), (0, "unpack")):
            chosen = np.flatnonzero(gathers & (orders["verify"] == verify))
            if len(chosen):
                self._launch(table, start, orders[chosen], what)
                start += len(chosen)
                verified += [chosen] if verify else []
        return verified

    def _launch(self, table: _Table, start: int, orders: NDArray[Any], what: str) -> None:
        """A row an order; a kernel for those that are aligned, one for all others."""
        count, how = len(orders), orders["how"]
        rows = table.rows[start : start + count]
        for name in ("size", "base", "count", "how"):
            rows[name] = orders[name]
        rows["destination"], rows["flag"] = orders["address"], 0
        rows["descriptors"], rows["bounce"] = self._sources(orders)
        behind = start * ROW.itemsize
        here, there = table.pinned_at + behind, table.rows_at + behind
        self._copy(there, here, rows.nbytes, self._runtime.memcpyHostToDevice)
        at = np.uint64(there)
        tallies = np.uint64(table.tallies_at + start * TALLY.itemsize)
        if aligned := int(orders["count"][how == How.ALIGNED].max(initial=0)):
            pieces = PIECES[what]
            grid = (blocks_of(aligned, pieces), count)
            self._run(f"{what}_many", grid, THREADS, (at, tallies, np.uint32(pieces)))
        odd = how != How.ALIGNED
        if odd.any():
            lying = np.where(
                how == How.LYING, orders["size"] // WORD_BYTES, orders["count"] * LANES
            )
            blocks = max(1, min(_BLOCKS, blocks_of(int(lying[odd].max()), THREADS)))
            self._run(f"{what}_odd", (blocks, count), THREADS, (at, tallies))
        if what == "verify":
            results = np.uint64(table.results_at + start * TALLY.itemsize)
            self._run(
                "publish", (blocks_of(count, 64), 1), 64, (tallies, results, np.uint32(count))
            )

    def _sources(self, orders: NDArray[Any]) -> tuple[list[int], list[int]]:
        """Where the device finds each order's descriptors and bounce buffer; what was received is
        on its way there."""
        if len(self._lists) >= _REMEMBERED:  # never while addresses of them are being collected
            self._stream.synchronize()  # a batch may be reading them
            self._lists.clear()
        lists, twins = [], []
        columns = (
            orders[name].tolist() for name in ("count", "descriptors", "host", "begin", "end")
        )
        for count, at, host, begin, end in zip(*columns, strict=True):
            is_here = not count or self._adopted[host] > 0
            twin = host if is_here else self._twin(host)
            if not is_here:
                self._copy(
                    twin + begin, host + begin, end - begin, self._runtime.memcpyHostToDevice
                )
            lists.append(self._list(ctypes.string_at(at, count * DTYPE.itemsize)) if count else 0)
            twins.append(twin)
        return lists, twins

    def _twin(self, host: int) -> int:
        if host not in self._twins:
            self._twins[host] = self.allocate(self._pinned[host].nbytes)
        return self._twins[host]

    def _list(self, raw: bytes) -> int:
        """Descriptors on the device."""
        kept = self._lists.get(raw)
        if kept is None:
            kept = self._lists[raw] = self._kept(raw)
        return int(kept.data.ptr)

    def _kept(self, raw: bytes) -> Any:
        with translated("copying descriptors to the device") as cupy:
            array = cupy.asarray(np.frombuffer(raw, np.uint8))
            cupy.cuda.get_current_stream().synchronize()
        return array

    def _read(self, orders: NDArray[Any]) -> None:
        for address, host, size in orders[["address", "host", "size"]].tolist():
            self._copy(host, address, size, self._runtime.memcpyDeviceToHost)

    def _write(self, orders: NDArray[Any]) -> None:
        for address, host, size in orders[["address", "host", "size"]].tolist():
            self._copy(address, host, size, self._runtime.memcpyHostToDevice)

    def _copy(self, to: int, source: int, size: int, kind: int) -> None:
        self._runtime.memcpyAsync(to, source, size, kind, self._stream.ptr)

    def _fill(self, orders: NDArray[Any]) -> None:
        rows = np.zeros((len(orders), 1), ROW)
        for name, of in (("destination", "address"), ("size", "size"), ("base", "base")):
            rows[name][:, 0] = orders[of]
        for row, size in zip(rows, orders["size"].tolist(), strict=True):
            blocks = max(1, min(_BLOCKS, blocks_of(size // WORD_BYTES, THREADS)))
            self._run("fill", (blocks, 1), THREADS, (row,))

    def _poison(self, orders: NDArray[Any]) -> None:
        for address, size in orders[["address", "size"]].tolist():
            self._runtime.memsetAsync(address, POISON_BYTE, size, self._stream.ptr)

    def _run(self, name: str, grid: tuple[int, int], threads: int, args: tuple[Any, ...]) -> None:
        self._kernels.launch(name, grid, threads, args, self._stream)


def _unpin_all(runtime: Any, pinned: dict[int, NDArray[np.uint8]]) -> None:
    """What nobody has unpinned of a device that nobody has any more."""
    for address in pinned:
        runtime.hostUnregister(address)


_DO = {
    READ: CudaDevice._read,
    WRITE: CudaDevice._write,
    FILL: CudaDevice._fill,
    POISON: CudaDevice._poison,
}
