"""Many requests in one launch: unpacked, verified, or looked at as they lie.

A batch owns a table of requests, their descriptors and their results, all in pinned memory, made
once: load it, launch it, and when the stream has come to its end, read what was found. One launch
is under way at a time. A large batch is `resident`: the kernel reads table and descriptors from
device memory, where they are copied once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.errors import CudaError, LocalProtocolError
from harness.tcpx.cuda.door import translated
from harness.tcpx.cuda.kernels import (
    CLEAR,
    FEW,
    FEW_THREADS,
    LANES,
    ONE,
    PIECES,
    ROW,
    TALLY,
    THREADS,
    Kernels,
    blocks_of,
    kernels,
)
from harness.tcpx.cuda.memory import Span, pinned, span
from harness.tcpx.damage import Finding
from harness.tcpx.net.plugin import MAX_DESCRIPTORS
from harness.tcpx.payload import Checker
from harness.tcpx.unpack.arrangement import How, arrange
from harness.tcpx.unpack.descriptor import DTYPE
from harness.tcpx.words import MAX_WORDS, WORD_BYTES, Place, first_word, words

MAX_REQUESTS = 65535  # of one launch: what a grid holds
_LOOK_BLOCKS = 1024  # of a request that lies there, at most


class Request(NamedTuple):
    """One message to gather, or without descriptors, memory to look at as it lies."""

    destination: Span
    descriptors: NDArray[Any] | None = None
    bounce: Span | None = None
    nonce: int = 0
    place: Place | None = None  # what belongs there; None: it is not verified
    flag: int = 0  # address of the 64-bit word that is read before anything else; 0: none


class Result(NamedTuple):
    """What the device saw of one request; `first` and `last` say nothing if no word is wrong."""

    words: int  # looked at, a tail counted as one
    wrong: int
    first: int
    last: int
    arrived: int  # what the flag said


class Batch:
    """At most `requests` requests with `descriptors` descriptors in all."""

    def __init__(
        self, requests: int = 1, descriptors: int = MAX_DESCRIPTORS, *, resident: bool = False
    ) -> None:
        if not 0 < requests <= MAX_REQUESTS:
            raise LocalProtocolError(f"{requests} requests", expected=f"1 to {MAX_REQUESTS}")
        self._kernels: Kernels = kernels()
        self._rows = pinned(requests * ROW.itemsize).view(ROW)
        self._pieces = pinned(descriptors * DTYPE.itemsize).view(DTYPE)
        self._results = pinned(requests * TALLY.itemsize).view(TALLY)
        with translated("taking device memory for a batch") as cupy:
            clear = np.array([CLEAR] * requests, TALLY).view(np.uint8)
            self._tallies = cupy.asarray(clear)
            self._copies = [cupy.empty(a.nbytes, cupy.uint8) for a in self._tables(resident)]
            cupy.cuda.get_current_stream().synchronize()  # another stream may come next
        self._sources = self._copies or [self._rows, self._pieces]
        self._table, self._list = (span(source).address for source in self._sources)
        self._published = span(self._results).address
        self._requests: Sequence[Request] = ()
        self._one = np.zeros(1, ONE)
        self._launches: list[Launch] = []
        self._fresh = False  # loaded, and not yet copied to the device

    def _tables(self, resident: bool) -> list[NDArray[Any]]:
        return [self._rows, self._pieces] if resident else []

    def load(self, requests: Sequence[Request]) -> None:
        """What the next launches will do. Descriptors are validated here, or refused."""
        if not 0 < len(requests) <= len(self._rows):
            raise LocalProtocolError(
                f"{len(requests)} requests", expected=f"1 to {len(self._rows)} in this batch"
            )
        self._requests = ()  # nothing half loaded can be launched
        self._results["words"] = 0  # pinned memory comes as others left it
        used, shapes = 0, set()
        verify = {request.place is not None for request in requests}
        if len(verify) != 1:
            raise LocalProtocolError(
                "only some requests of a batch are to be verified", expected="all or none"
            )
        for number, request in enumerate(requests):
            how, count = self._place(number, request, used)
            used += count
            shapes.add((how, count if how != How.LYING else request.destination.size_bytes))
        self._requests, self._fresh = requests, True
        self._launches = _launches(shapes, len(requests), verify.pop())
        if self._launches and self._launches[0][0].endswith("_few"):
            self._one["row"] = self._rows[0]
            self._one["descriptors"][0, :used] = self._pieces[:used]

    def _place(self, number: int, request: Request, used: int) -> tuple[How, int]:
        """Write one row and its descriptors."""
        to = request.destination
        how, count, bounce = How.LYING, 0, 0
        if request.descriptors is not None:
            how, count, bounce = self._gathered(request, used)
        base = 0
        if request.place is not None:
            if words(to.size_bytes) > MAX_WORDS:
                raise LocalProtocolError(
                    f"a chunk of {to.size_bytes} bytes", expected=f"at most {MAX_WORDS} words"
                )
            base = first_word(request.nonce, request.place)
        elif how == How.LYING:
            raise LocalProtocolError("a request without descriptors or a place to look for")
        row = (self._list + used * DTYPE.itemsize, bounce, to.address, to.size_bytes, base)
        self._rows[number] = (*row, request.flag, count, how)
        return how, count

    def _gathered(self, request: Request, used: int) -> tuple[How, int, int]:
        assert request.descriptors is not None
        to, bounce = request.destination, request.bounce or Span(0, 0)
        arranged = arrange(
            request.descriptors, bounce_bytes=bounce.size_bytes, size_bytes=to.size_bytes
        )
        count = len(arranged.pieces)
        if used + count > len(self._pieces):
            raise LocalProtocolError(
                f"{used + count} descriptors", expected=f"at most {len(self._pieces)} in this batch"
            )
        self._pieces[used : used + count] = arranged.pieces
        return arranged.how(bounce.address, to.address), count, bounce.address

    def upload(self, stream: Any = None) -> None:
        """Copy a resident batch's tables, as the next launch would."""
        if self._copies and self._fresh:
            with translated("copying a batch's tables"):
                for source, copy in zip(self._tables(True), self._copies, strict=True):
                    copy.set(source.view(np.uint8), stream=stream)
        self._fresh = False

    def launch(self, stream: Any = None) -> None:
        """All that is loaded, on `stream` or CuPy's current one. Returns at once."""
        if not self._requests:
            raise LocalProtocolError("an empty batch is launched", expected="one that is loaded")
        self.upload(stream)
        self._results["words"] = 0  # nothing that an earlier launch said may stand for this one
        tallies = self._tallies
        with translated("launching the unpack kernel"):
            for name, grid, threads in self._launches:
                args = self._arguments(name)
                self._kernels.launch(name, grid, threads, args, stream)
            if self._is_verified:
                count = len(self._requests)
                args = (tallies, np.uint64(self._published), np.uint32(count))
                self._kernels.launch("publish", (blocks_of(count, 64), 1), 64, args, stream)

    def _arguments(self, name: str) -> tuple[Any, ...]:
        if name.endswith("_few"):
            return self._one, self._tallies
        table = (np.uint64(self._table), self._tallies)
        what, _, kind = name.partition("_")
        return (*table, np.uint32(PIECES[what])) if kind == "many" else table

    @property
    def _is_verified(self) -> bool:
        return self._requests[0].place is not None

    def result(self, number: int) -> Result:
        """What a finished launch saw of a request; CudaError if it has not seen all of it."""
        request = self._requests[number]
        result = Result(*self._results[number].item())
        if request.place is None or result.words != words(request.destination.size_bytes):
            raise CudaError(
                f"{result.words} words of request {number} were looked at",
                expected=f"{words(request.destination.size_bytes)} by a finished launch",
                fix="Wait for the stream before asking",
            )
        return result

    def finding(self, number: int) -> Finding | None:
        """None if every word is right. A wrong chunk is copied back and diagnosed as ever."""
        result, request = self.result(number), self._requests[number]
        if not result.wrong:
            return None
        assert request.place is not None
        data = request.destination.to_host()
        finding = Checker(data.size).check(data, request.nonce, request.place)
        seen = (result.wrong, result.first, result.last)
        if finding is None or seen != (finding.words_wrong, finding.first_word, finding.last_word):
            raise CudaError(
                "the device saw {} wrong words from {} to {}".format(*seen),
                expected=f"what NumPy says of the same bytes: {finding}",
            )
        return finding

    def findings(self) -> list[Finding | None]:
        """Of all requests, in their order."""
        return [self.finding(number) for number in range(len(self._requests))]


Launch = tuple[str, tuple[int, int], int]  # kernel, grid, threads of a block


def _launches(shapes: set[tuple[How, int]], requests: int, verify: bool) -> list[Launch]:
    """Whatever the ways of these requests need."""
    found: list[Launch] = []
    what = "verify" if verify else "unpack"
    aligned = max((n for how, n in shapes if how == How.ALIGNED), default=0)
    if requests == 1 and 0 < aligned <= FEW:
        found.append((f"{what}_few", (blocks_of(aligned * LANES, FEW_THREADS), 1), FEW_THREADS))
    elif aligned:
        found.append((f"{what}_many", (blocks_of(aligned, PIECES[what]), requests), THREADS))
    odd = [
        blocks_of(n * LANES, THREADS)
        if how != How.LYING
        else min(_LOOK_BLOCKS, blocks_of(n, THREADS * WORD_BYTES))
        for how, n in shapes
        if how != How.ALIGNED
    ]
    if max(odd, default=0):
        found.append((f"{what}_odd", (max(odd), requests), THREADS))
    return found
