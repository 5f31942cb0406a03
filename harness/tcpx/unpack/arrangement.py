"""What a GPU kernel needs to know of a request's descriptors before it may be launched.

Threads copy pieces in no order, so pieces must not overlap, and a word that two pieces share can
only be checked if the next piece is the next descriptor. Nearly always descriptors are so already;
else they are sorted by place, and those whose places overlap are told apart, since there the last
one wins. As in gather.py, what descriptors say is remembered by their very bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.tcpx.unpack.descriptor import DTYPE, validate
from harness.tcpx.words import WORD_BYTES

VECTOR_BYTES = 16
_REMEMBERED = 256  # messages: the slots that 16 channels of a GPU use at most


class How(IntEnum):
    """The ways of unpack.cu; the same numbers."""

    ALIGNED = 0
    TILED = 1
    DISORDERED = 2
    LYING = 3


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A request's pieces, none of them empty: by place if they `tile`, else as they came. `raw`
    are their bytes.

    The residues are what all offsets have in common mod 16, None if they have nothing in common.
    `extent` is where the pieces' sources begin and end in the bounce buffer.
    """

    pieces: NDArray[Any]
    raw: bytes
    extent: tuple[int, int]
    tile: bool
    src_residue: int | None
    dst_residue: int | None

    def how(self, bounce_address: int, destination_address: int) -> How:
        """The way for buffers that begin there."""
        if not self.tile:
            return How.DISORDERED
        if self.src_residue is None or self.dst_residue is None:
            return How.TILED
        ends = (bounce_address + self.src_residue) | (destination_address + self.dst_residue)
        aligned = ends % VECTOR_BYTES == 0 and self.dst_residue % WORD_BYTES == 0
        return How.ALIGNED if aligned else How.TILED


def arrange(descriptors: NDArray[Any], *, bounce_bytes: int, size_bytes: int) -> Arrangement:
    """The descriptors of one request, validated."""
    given = descriptors if descriptors.dtype is DTYPE else descriptors.astype(DTYPE)
    return _arranged(given.tobytes(), bounce_bytes, size_bytes)


@lru_cache(_REMEMBERED)
def _arranged(raw: bytes, bounce_bytes: int, size_bytes: int) -> Arrangement:
    given = np.frombuffer(raw, DTYPE)
    validate(given, bounce_bytes=bounce_bytes, size_bytes=size_bytes)
    given = given[given["len"] > 0]
    by_place = given[np.argsort(given["dst_off"], kind="stable")]
    ends = by_place["dst_off"] + by_place["len"]
    tile = bool((ends[:-1] == by_place["dst_off"][1:]).all())
    pieces = by_place if tile else given
    residues = _residue(pieces["src_off"]), _residue(pieces["dst_off"])
    return Arrangement(pieces, pieces.tobytes(), _extent(pieces), tile, *residues)


def _extent(pieces: NDArray[Any]) -> tuple[int, int]:
    if not len(pieces):
        return 0, 0
    begins = pieces["src_off"].astype(np.int64)
    return int(begins.min()), int((begins + pieces["len"]).max())


def _residue(offsets: NDArray[Any]) -> int | None:
    residues = offsets % VECTOR_BYTES
    if not len(residues) or (residues != residues[0]).any():
        return None
    return int(residues[0])
