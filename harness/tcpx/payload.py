"""The payload: words that say where they belong (words.py), written, checked, and poisoned.

A chunk is right if its first word is and each next one is ODD more: one subtraction and one
comparison a word, in blocks that stay in cache, with no table to compare against. Only a chunk that
is wrong is looked at closely (damage.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.tcpx.damage import POISON, Finding, classify, diagnose
from harness.tcpx.memory import host_buffer
from harness.tcpx.words import (
    ODD,
    WORD_BYTES,
    Place,
    expected,
    first_word,
    flat,
    nonce_of,
    ramp,
    words,
)

__all__ = [
    "Checker",
    "Finding",
    "Place",
    "classify",
    "expected",
    "fill",
    "nonce_of",
    "poison",
    "words",
]

_BLOCK_WORDS = 64 * 1024  # 512 KiB of payload; smaller blocks pay more for calls than they gain
_WORD = np.dtype("<u8")
_STEP = np.array(ODD, np.uint64)  # an array, which NumPy need not make of it every time
_MASK = (1 << 64) - 1


def fill(view: Any, nonce: int, place: Place) -> None:
    """Write the chunk that belongs at `place`."""
    data = flat(view)
    count, tail = divmod(data.size, WORD_BYTES)
    base = first_word(nonce, place)
    np.add(ramp(count), np.uint64(base), out=data[: count * WORD_BYTES].view(_WORD))
    if tail:
        data[count * WORD_BYTES :].data[:] = _tail(base, count, tail)


def poison(view: Any) -> None:
    """Make a buffer that nothing has been received into recognisable."""
    flat(view).fill(POISON)


class Checker:
    """Checks chunks of at most `max_bytes`; one a thread, because it owns its scratch."""

    def __init__(self, max_bytes: int) -> None:
        block = min(_BLOCK_WORDS, max(1, words(max_bytes)))
        self._scratch = host_buffer(block * WORD_BYTES).view(np.uint64)
        self._answers = bytearray(block)  # its search keeps the interpreter
        self._equal = np.frombuffer(self._answers, np.bool_)
        self.words = 0  # verified so far, a tail counted as one
        self.bytes = 0

    def check(self, view: Any, nonce: int, place: Place) -> Finding | None:
        """None if every byte of the chunk is right, else what is wrong with it."""
        data = flat(view)
        if not self._is_right(data, first_word(nonce, place)):
            return diagnose(data, nonce, place)
        size_bytes = data.size
        self.words += words(size_bytes)
        self.bytes += size_bytes
        return None

    def _is_right(self, data: NDArray[np.uint8], base: int) -> bool:
        count, tail = divmod(data.size, WORD_BYTES)
        seen = data[: count * WORD_BYTES].view(_WORD)
        if count and seen.item(0) != base:
            return False
        block = len(self._scratch)
        for start in range(0, count - 1, block):
            if not self._rises(seen, start, min(start + block, count - 1)):
                return False
        return not tail or data[count * WORD_BYTES :].tobytes() == _tail(base, count, tail)

    def _rises(self, seen: NDArray[np.uint64], start: int, stop: int) -> bool:
        """Whether each of the words from `start` to `stop` has its successor behind it."""
        size = stop - start
        steps = self._scratch[:size]
        np.subtract(seen[start + 1 : stop + 1], seen[start:stop], steps)
        np.equal(steps, _STEP, self._equal[:size])
        return self._answers.find(0, 0, size) < 0


def _tail(base: int, count: int, tail: int) -> bytes:
    """The first `tail` bytes of word `count`."""
    word = (base + count * ODD) & _MASK
    return word.to_bytes(WORD_BYTES, "little")[:tail]
