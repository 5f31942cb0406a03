"""How fast a GPU unpacks and verifies, beside copies of as many bytes, case by case in turns.

ROUNDS [FILE:NAME], or try-out FILE:NAME. All contenders of a case take turns within a round. Each
has its launches captured in a graph, if that helps it, and CUDA events around them. What they write
is compared with the payload before and after: a figure of who wrote something else is none. Prints
a JSON line a contender, with its GB/s by round; bytes read and bytes written both count.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from harness.bench.drivers.gpu_cases import CASE_BYTES, CASES, Case
from harness.bench.drivers.gpu_kernels import Block, Foreign, streams
from harness.errors import CudaError, HarnessError
from harness.tcpx.cuda import Batch, Request, cupy, fill, pinned, poison, span, translated
from harness.tcpx.net.plugin import PAGE_BYTES
from harness.tcpx.unpack.descriptor import DTYPE
from harness.tcpx.words import Place

NONCE = 0x0123456789ABCDEF
MOST_LAUNCHES = 512  # in a region
CACHE_BYTES = 256 << 20  # written before a region, so that it begins with a cold L2
TRY_OUT = "try-out"
PINNED_CASES = ("512KiB", "8MiB")

Launches = list[Callable[[], Any]]


@dataclass(frozen=True, eq=False)
class Contender:
    """Who is measured: its launches, and whether a graph suits them."""

    name: str
    launches: Launches
    in_graph: bool = True
    gathers: bool = True  # pages into the payload's order; else a plain copy


class Bed:
    """One case's buffers: pages of the payload in random order, half as many again of others."""

    def __init__(self, case: Case) -> None:
        self.case, self.gpu = case, cupy()
        self.launches = min(CASE_BYTES // case.size_bytes, MOST_LAUNCHES)
        self.size_bytes = self.launches * case.size_bytes
        pages = self.size_bytes // PAGE_BYTES
        order = np.random.default_rng(pages).permutation(pages + pages // 2 + 1)[:pages]
        self.order = order.astype(np.int64)
        self.right = self.gpu.empty(self.size_bytes, np.uint8)
        self.to = self.gpu.empty(self.size_bytes, np.uint8)
        self.bounce = self.gpu.full((pages + pages // 2 + 1) * PAGE_BYTES, 0x5A, np.uint8)
        self.stream = self.gpu.cuda.Stream(non_blocking=True)
        for number in range(self.launches * case.requests):
            start = number * case.request_bytes
            fill(self.right[start : start + case.request_bytes], NONCE, place(number))
        self.words(self.bounce)[self.gpu.asarray(self.order)] = self.words(self.right)
        self.gpu.cuda.runtime.deviceSynchronize()

    def words(self, array: Any) -> Any:
        """A page a row."""
        return array.view(np.uint64).reshape(-1, PAGE_BYTES // 8)

    def descriptors(self, first: int, count: int) -> Any:
        """Of `count` pages from page `first` on, as one message."""
        table = np.zeros(count, DTYPE)
        table["src_off"] = self.order[first : first + count] * PAGE_BYTES
        table["len"] = PAGE_BYTES
        table["dst_off"] = np.arange(count) * PAGE_BYTES
        return table

    def batches(self, *, verify: bool, bounce: Any = None) -> list[Batch]:
        """Ours: a batch a launch."""
        source = self.bounce if bounce is None else bounce
        return [self._batch(number, verify, source) for number in range(self.launches)]

    def _batch(self, launch: int, verify: bool, bounce: Any) -> Batch:
        case, source = self.case, span(bounce)
        requests = []
        for number in range(launch * case.requests, (launch + 1) * case.requests):
            to = span(self.to).part(number * case.request_bytes, case.request_bytes)
            pages = self.descriptors(number * case.descriptors, case.descriptors)
            belongs = place(number) if verify else None
            requests.append(Request(to, pages, source, NONCE, belongs))
        batch = Batch(case.requests, case.requests * case.descriptors, resident=True)
        batch.load(requests)
        batch.upload(self.stream)
        return batch

    def region(self, contender: Contender) -> Callable[[], None]:
        """What is timed."""
        run_all = partial(_run_all, contender.launches)
        if not contender.in_graph:
            return run_all
        self.stream.begin_capture()
        try:
            run_all()
        finally:
            graph = self.stream.end_capture()
        graph.upload(self.stream)
        return lambda: graph.launch(self.stream)

    def check(self, contender: Contender, region: Callable[[], None]) -> None:
        """Run it once on a poisoned destination; CudaError if it does not do what it should."""
        poison(self.to, stream=self.stream)
        region()
        self.stream.synchronize()
        right = self.right if contender.gathers else self.bounce[: self.size_bytes]
        wrong = int((self.words(self.to) != self.words(right)).sum())
        if wrong:
            raise CudaError(f"{wrong} words are not what they should be", where=contender.name)

    def gb_s(self, region: Callable[[], None]) -> float:
        """Of one turn."""
        began, ended = self.gpu.cuda.Event(), self.gpu.cuda.Event()
        began.record(self.stream)
        region()
        ended.record(self.stream)
        ended.synchronize()
        return 2 * self.size_bytes / float(self.gpu.cuda.get_elapsed_time(began, ended)) / 1e6


def _run_all(launches: Launches) -> None:
    for launch in launches:
        launch()


def place(number: int) -> Place:
    return Place(iteration=0, channel=number % 64, chunk=number)


def contenders(bed: Bed, foreign: Foreign | None) -> Iterator[Contender]:
    """All that this case can be done by."""
    case, runtime = bed.case, bed.gpu.cuda.runtime
    parts = [(n * case.size_bytes, case.size_bytes) for n in range(bed.launches)]
    to, source, ptr = bed.to.data.ptr, bed.bounce.data.ptr, bed.stream.ptr

    def copy(start: int, size: int) -> Callable[[], Any]:
        kind = runtime.memcpyDeviceToDevice
        return lambda: runtime.memcpyAsync(to + start, source + start, size, kind, ptr)

    copies = [copy(*part) for part in parts]
    yield Contender("copy", copies, in_graph=False, gathers=False)
    yield Contender("copy-graph", copies, gathers=False)
    for name, launch in streams(case.size_bytes):
        launches = [launch(to + start, source + start, bed.stream) for start, _ in parts]
        yield Contender(name, launches, gathers=False)
    yield Contender("cupy.take", list(_takes(bed)), in_graph=False)
    for name, verify in (("ours", False), ("ours-verify", True)):
        made = bed.batches(verify=verify)
        yield Contender(name, [_launch(batch, bed.stream) for batch in made])
    if case.name in PINNED_CASES:
        yield from _pinned(bed)
    if foreign:
        yield _foreign(bed, foreign)


def _foreign(bed: Bed, foreign: Foreign) -> Contender:
    case, to, source = bed.case, bed.to.data.ptr, bed.bounce.data.ptr
    count = case.requests * case.descriptors
    blocks = [
        Block(bed.descriptors(n * count, count), source, to + n * case.size_bytes)
        for n in range(bed.launches)
    ]
    bed.gpu.cuda.runtime.deviceSynchronize()
    launches = [foreign.launch(block, bed.stream) for block in blocks]
    return Contender(foreign.name, launches)


def _launch(batch: Batch, stream: Any) -> Callable[[], None]:
    return lambda: batch.launch(stream)


def _takes(bed: Bed) -> Iterator[Callable[[], Any]]:
    """Rows of 512 words by their numbers."""
    pages, order = bed.case.size_bytes // PAGE_BYTES, bed.gpu.asarray(bed.order)
    source, to = bed.words(bed.bounce), bed.words(bed.to)

    def take(first: int) -> Callable[[], Any]:
        numbers, out = order[first : first + pages], to[first : first + pages]
        return lambda: source.take(numbers, axis=0, out=out)

    for launch in range(bed.launches):
        yield take(launch * pages)


def _pinned(bed: Bed) -> Iterator[Contender]:
    """Out of pinned host memory: a plain copy to the device, and the kernel reading it there."""
    runtime, host = bed.gpu.cuda.runtime, pinned(bed.bounce.nbytes)
    bed.bounce.get(out=host)
    size, to, source = bed.case.size_bytes, bed.to.data.ptr, host.ctypes.data

    def copy(start: int) -> Callable[[], Any]:
        kind, ptr = runtime.memcpyHostToDevice, bed.stream.ptr
        return lambda: runtime.memcpyAsync(to + start, source + start, size, kind, ptr)

    copies = [copy(launch * size) for launch in range(bed.launches)]
    yield Contender("pinned-copy", copies, in_graph=False, gathers=False)
    made = bed.batches(verify=True, bounce=host)
    yield Contender("pinned-ours-verify", [_launch(batch, bed.stream) for batch in made])


def measured(case: Case, rounds: int, kernel: str) -> Iterator[dict[str, Any]]:
    """A line a contender."""
    bed = Bed(case)
    foreign = Foreign(kernel) if kernel else None
    taken: dict[str, list[float]] = defaultdict(list)
    with bed.stream:
        cold = bed.gpu.empty(CACHE_BYTES, np.uint8)
        # With their contenders, whose memory the graphs use.
        regions = {c: bed.region(c) for c in contenders(bed, foreign)}
        wrong = _wrong(bed, regions)
        for _ in range(rounds):
            for contender, region in regions.items():
                poison(cold, stream=bed.stream)
                taken[contender.name].append(bed.gb_s(region))
        wrong |= _wrong(bed, regions)
    for name, values in taken.items():
        line = {"error": wrong[name]} if name in wrong else {"gb_s": values}
        yield {"case": case.name, "peer": name, "launches": bed.launches, **line}


def _wrong(bed: Bed, regions: Mapping[Contender, Callable[[], None]]) -> dict[str, str]:
    """Who does not do what it should, and in which way."""
    found = {}
    for contender, region in regions.items():
        try:
            bed.check(contender, region)
        except CudaError as error:
            found[contender.name] = error.headline
    return found


def try_out(kernel: str) -> None:
    """Run another project's kernel alone: one that crashes would take all figures along."""
    foreign = Foreign(kernel)
    for case in CASES:
        bed = Bed(case)
        with translated(f"case {case.name}"):
            contender = _foreign(bed, foreign)
            with bed.stream:
                bed.check(contender, bed.region(contender))
        bed.gpu.get_default_memory_pool().free_all_blocks()


def main(rounds: int, kernel: str = "") -> None:
    gpu, device = cupy(), cupy().cuda.Device()
    properties = gpu.cuda.runtime.getDeviceProperties(device.id)
    machine = {
        "gpu": properties["name"].decode(),
        "l2_bytes": properties["l2CacheSize"],
        "driver_cuda": gpu.cuda.runtime.driverGetVersion(),
        "cupy": gpu.__version__,
    }
    print(json.dumps({"machine": machine}), flush=True)
    for case in CASES:
        with translated(f"case {case.name}"):
            for line in measured(case, rounds, kernel):
                print(json.dumps(line), flush=True)
        gpu.get_default_memory_pool().free_all_blocks()


if __name__ == "__main__":
    try:
        if sys.argv[1] == TRY_OUT:
            try_out(sys.argv[2])
        else:
            main(int(sys.argv[1]), *sys.argv[2:])
    except HarnessError as error:
        sys.exit(error.headline)
