"""The unpack step in NumPy: the reference that every other implementation must equal.

Nearly always a message is a row of whole pages and one tail. That case is recognised by arithmetic
on the descriptors alone (which is also its bounds check) and becomes one `np.take`. With `mode`
"clip" NumPy writes straight into the destination, three times faster than its default; "clip" would
hide a bad index, so the largest one is checked first. Whatever else arrives goes piece by piece.
The same few slots come again and again, so what descriptors say is remembered by their very bytes:
nothing can change unseen.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.tcpx.net.plugin import MAX_DESCRIPTORS, PAGE_BYTES
from harness.tcpx.unpack.descriptor import DTYPE, validate

Bytes = NDArray[np.uint8]

# A descriptor of page i, seen as two int64, is (length << 32 | src_off, i * page).
_ROW = np.empty((MAX_DESCRIPTORS, 2), np.int64)
_ROW[:, 0] = PAGE_BYTES << 32
_ROW[:, 1] = np.arange(MAX_DESCRIPTORS) * PAGE_BYTES
_STRAY = np.array([~0xFFFFF000, -1])  # bits that the difference to a whole page does not have
_PAGE_SHIFT = PAGE_BYTES.bit_length() - 1
_REMEMBERED = 256  # messages: the slots that 16 channels of a GPU use at most


def unpack(descriptors: NDArray[Any], bounce: Bytes, destination: Bytes) -> None:
    """Gather one message from `bounce` into `destination`, which is exactly as large."""
    whole, tail = divmod(destination.size, PAGE_BYTES)
    pages = None
    if len(descriptors) == whole + bool(tail) <= MAX_DESCRIPTORS:
        raw = np.ascontiguousarray(descriptors, DTYPE).tobytes()
        pages = _page_numbers(raw, whole, tail, bounce.size)
    if pages is None:
        _piece_by_piece(descriptors, bounce, destination)
        return
    if whole:
        source = bounce[: bounce.size // PAGE_BYTES * PAGE_BYTES].reshape(-1, PAGE_BYTES)
        target = destination[: whole * PAGE_BYTES].reshape(-1, PAGE_BYTES)
        source.take(pages, 0, target, "clip")
    if tail:
        start = int(descriptors["src_off"][whole])
        destination[whole * PAGE_BYTES :] = bounce[start : start + tail]


@lru_cache(_REMEMBERED)
def _page_numbers(raw: bytes, whole: int, tail: int, bounce_bytes: int) -> NDArray[np.int64] | None:
    """The bounce pages in the message's order; None if it is not whole pages, in order, inside."""
    if tail:
        start, length, place = np.frombuffer(raw, DTYPE)[whole].item()
        if length != tail or place != whole * PAGE_BYTES or start + tail > bounce_bytes:
            return None
    rest = np.frombuffer(raw, np.int64).reshape(-1, 2)[:whole] - _ROW[:whole]
    if (rest & _STRAY).any():
        return None
    pages: NDArray[np.int64] = rest[:, 0] >> _PAGE_SHIFT
    return pages if not whole or int(pages.max()) < bounce_bytes // PAGE_BYTES else None


def _piece_by_piece(descriptors: NDArray[Any], bounce: Bytes, destination: Bytes) -> None:
    validate(descriptors, bounce_bytes=bounce.size, size_bytes=destination.size)
    for start, length, place in descriptors.tolist():
        destination[place : place + length] = bounce[start : start + length]
