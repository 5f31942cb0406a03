"""The payload on the device, written, poisoned and checked: payload.py is the same on the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.errors import LocalProtocolError
from harness.tcpx.cuda.batch import Batch, Request
from harness.tcpx.cuda.door import translated
from harness.tcpx.cuda.kernels import ROW, THREADS, blocks_of, kernels
from harness.tcpx.cuda.memory import span
from harness.tcpx.damage import POISON, Finding
from harness.tcpx.words import MAX_WORDS, Place, first_word, words

_FILL_BLOCKS = 2048


def fill(view: Any, nonce: int, place: Place, *, stream: Any = None) -> None:
    """Write the chunk that belongs at `place`, on `stream` or CuPy's current one."""
    to = span(view)
    count = words(to.size_bytes)
    if count > MAX_WORDS:
        raise LocalProtocolError(
            f"a chunk of {to.size_bytes} bytes", expected=f"at most {MAX_WORDS} words"
        )
    if not count:
        return
    row = np.zeros(1, ROW)
    row[0] = (0, 0, to.address, to.size_bytes, first_word(nonce, place), 0, 0, 0)
    with translated("filling"):
        blocks = min(_FILL_BLOCKS, blocks_of(count, THREADS))
        kernels().launch("fill", (blocks, 1), THREADS, (row,), stream)


def poison(view: Any, *, stream: Any = None) -> None:
    """Make a buffer that nothing has been received into recognisable."""
    to = span(view)
    if not to.size_bytes:
        return
    with translated("poisoning") as cupy:
        stream = stream or cupy.cuda.get_current_stream()
        cupy.cuda.runtime.memsetAsync(to.address, POISON, to.size_bytes, stream.ptr)


def check(view: Any, nonce: int, place: Place, *, stream: Any = None) -> Finding | None:
    """None if every byte of the chunk is right, else what is wrong with it. Waits for the device;
    many chunks are looked at faster by one Batch."""
    batch = Batch()
    batch.load([Request(span(view), nonce=nonce, place=place)])
    with translated("checking") as cupy:
        stream = stream or cupy.cuda.get_current_stream()
        batch.launch(stream)
        stream.synchronize()
    return batch.finding(0)
