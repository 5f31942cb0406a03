"""The payload's words: where each of them belongs can be read from the word itself.

An 8-byte little-endian word is (iteration 14 bits | channel 6 | chunk 24 | word 20) x ODD + nonce,
mod 2^64. The word's index is lowest, so inside a chunk words rise by ODD: writing a chunk is one
addition, checking it one subtraction. ODD is odd, so the product can be undone, and only wrong
words are. A tail of fewer than 8 bytes is the beginning of the word that would stand there.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WORD_BYTES = 8
ITERATION_BITS, CHANNEL_BITS, CHUNK_BITS, INDEX_BITS = 14, 6, 24, 20
MAX_WORDS = 1 << INDEX_BITS
ODD = 0x9E3779B97F4A7C15
INVERSE = pow(ODD, -1, 1 << 64)
_MASK = (1 << 64) - 1
_BYTE = np.dtype(np.uint8)

Words = NDArray[np.uint64]


class Place(NamedTuple):
    """Where a chunk belongs. All -1: nowhere that is known."""

    iteration: int = -1
    channel: int = -1
    chunk: int = -1

    @property
    def packed(self) -> int:
        """The fields of the chunk's word 0."""
        iteration, channel, chunk = self
        return ((iteration << CHANNEL_BITS | channel) << CHUNK_BITS | chunk) << INDEX_BITS

    @classmethod
    def unpacked(cls, packed: int) -> tuple[Place, int]:
        """The place and the word's index that `packed` says."""
        high, index = divmod(packed, MAX_WORDS)
        high, chunk = divmod(high, 1 << CHUNK_BITS)
        iteration, channel = divmod(high, 1 << CHANNEL_BITS)
        return cls(iteration, channel, chunk), index


NOWHERE = Place()


def _make_ramp() -> Words:
    ramp = np.arange(MAX_WORDS, dtype=np.uint64)
    ramp *= np.uint64(ODD)
    ramp.setflags(write=False)
    return ramp


_ramp: list[Words] = []


def ramp(count: int) -> Words:
    """0, ODD, 2 ODD, ...; made once, when first needed."""
    if not _ramp:
        _ramp.append(_make_ramp())
    return _ramp[0][:count]


def first_word(nonce: int, place: Place) -> int:
    return (place.packed * ODD + nonce) & _MASK


def expected(nonce: int, place: Place, size_bytes: int) -> NDArray[np.uint8]:
    """The right bytes of a chunk, in a new array."""
    count = words(size_bytes)
    right = ramp(count) + np.uint64(first_word(nonce, place))
    return right.astype("<u8").view(np.uint8)[:size_bytes]


def decode(seen: Words, nonce: int) -> Words:
    """The packed fields of any words."""
    fields: Words = (seen - np.uint64(nonce)) * np.uint64(INVERSE)
    return fields


def words(size_bytes: int) -> int:
    """Words of a chunk, a tail counted as one."""
    return -(-size_bytes // WORD_BYTES)


def nonce_of(text: str) -> int:
    """64 bits from a run's nonce."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def flat(view: Any) -> NDArray[np.uint8]:
    """Any buffer as bytes; bytes in a row are that already."""
    if type(view) is np.ndarray and view.dtype == _BYTE and view.strides == (1,):
        return view
    return np.frombuffer(view, np.uint8)
