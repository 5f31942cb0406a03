"""How fast one core verifies, fills and unpacks, beside a plain copy of as many bytes.

TOTAL_BYTES ROUNDS; each in turn within a round. Prints GB/s, 1e9 bytes of payload a second. Unlike
the other drivers it needs the harness on its path, since it times the harness's own functions.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import numpy as np

from harness.tcpx import payload
from harness.tcpx.memory import host_buffer
from harness.tcpx.unpack import descriptor
from harness.tcpx.unpack.gather import unpack

CHUNK_BYTES = 512 << 10
PAGE_BYTES = 4096
NONCE = 1


class Work:
    """Buffers larger than a cache, and what is done to them chunk by chunk."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._source = host_buffer(size_bytes)
        self._target = host_buffer(size_bytes)
        self._checker = payload.Checker(CHUNK_BYTES)
        pages = np.random.default_rng(0).permutation(CHUNK_BYTES // PAGE_BYTES)
        self._pages = np.zeros(len(pages), descriptor.DTYPE)
        self._pages["src_off"] = pages * PAGE_BYTES
        self._pages["len"] = PAGE_BYTES
        self._pages["dst_off"] = np.arange(len(pages)) * PAGE_BYTES

    def copy(self) -> None:
        np.copyto(self._target, self._source)

    def fill(self) -> None:
        for chunk, start in enumerate(range(0, self.size_bytes, CHUNK_BYTES)):
            payload.fill(self._source[start : start + CHUNK_BYTES], NONCE, place(chunk))

    def verify(self) -> None:
        for chunk, start in enumerate(range(0, self.size_bytes, CHUNK_BYTES)):
            view = self._source[start : start + CHUNK_BYTES]
            if self._checker.check(view, NONCE, place(chunk)) is not None:
                raise SystemExit(f"chunk {chunk} is not what was filled in")

    def unpack(self) -> None:
        for start in range(0, self.size_bytes, CHUNK_BYTES):
            part = slice(start, start + CHUNK_BYTES)
            unpack(self._pages, self._source[part], self._target[part])


def place(chunk: int) -> payload.Place:
    return payload.Place(iteration=0, channel=0, chunk=chunk)


def timed_s(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(size_bytes: int, rounds: int) -> None:
    work = Work(size_bytes)
    work.fill()
    work.copy()  # brings both buffers' pages in
    names = ("copy", "fill", "verify", "unpack")
    taken = [
        {name: size_bytes / timed_s(getattr(work, name)) / 1e9 for name in names}
        for _ in range(rounds)
    ]
    print(json.dumps({name: [turn[name] for turn in taken] for name in names}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
