"""What happened to a chunk that is not right, read from the wrong words themselves.

A word from elsewhere decodes to where it belongs, and its neighbours decode to the places next to
that: a displaced run has one constant offset between what its words say and where they stand. The
commonest offset is looked for with the bytes as they lie, then moved by 1 to 7 bytes. What decodes
to nothing plausible was changed on the way: a bit flip. One chunk alone cannot tell a duplicate
from a swap; `classify` settles that over all findings of an iteration.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.tcpx.words import NOWHERE, WORD_BYTES, Place, decode, expected

POISON = 0xA5
KINDS = (
    "BITFLIP",  # changed on the way
    "SWAP",  # another chunk's words, and this chunk's are in another's place
    "STALE",  # an earlier iteration's words
    "DUPLICATE",  # another chunk's words, which are in their own place too
    "SHIFT",  # this chunk's words, some bytes off their place
    "TRUNCATED",  # right to some byte, never written from there on
    "MISSING",  # never written, or another chunk came and this one nowhere
    "UNWRITTEN",  # a hole that was never written
)
_RUN_WORDS = 512  # of one page: nothing smaller is displaced, unless the chunk itself is smaller
_LOOK_BYTES = 512 * 1024  # enough of a chunk to know what happened to it

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One chunk that is wrong: which words, and what they are instead."""

    kind: str
    place: Place
    first_word: int
    last_word: int
    words_wrong: int
    source: Place = NOWHERE
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a run of words comes from: the chunk, how far it was moved, how many words agree."""

    source: Place
    moved_bytes: int
    agreeing: int


def diagnose(data: Bytes, nonce: int, place: Place) -> Finding:
    """What is wrong with the chunk that stands at `place`."""
    right = expected(nonce, place, data.size)
    wrong = np.flatnonzero(data != right)
    words = np.unique(wrong // WORD_BYTES)
    kind, source, detail = (
        _never_written(data, wrong)
        or _displaced(data, right, words, nonce, place)
        or _flipped(data, right, wrong)
    )
    return Finding(
        kind=kind,
        place=place,
        first_word=int(words[0]),
        last_word=int(words[-1]),
        words_wrong=len(words),
        source=source,
        detail=detail,
    )


def classify(findings: Sequence[Finding], arrived: Container[int] | None = None) -> list[Finding]:
    """Settle what only all findings of an iteration can tell: SWAP, DUPLICATE or MISSING.

    `arrived` are the chunks that were checked at all, if not all of them were.
    """
    wrong = {finding.place for finding in findings}
    held = {finding.source for finding in findings}
    return [_settled(finding, wrong, held, arrived) for finding in findings]


def _settled(
    finding: Finding, wrong: set[Place], held: set[Place], arrived: Container[int] | None
) -> Finding:
    source, place = finding.source, finding.place
    if finding.kind not in ("DUPLICATE", "SWAP", "MISSING") or source == NOWHERE:
        return finding
    has_arrived = arrived is None or source.chunk in arrived
    if source not in wrong and has_arrived and source.iteration == place.iteration:
        kind = "DUPLICATE"  # what came is in its own place as well
    else:
        kind = "SWAP" if place in held else "MISSING"
    return replace(finding, kind=kind)


_Verdict = tuple[str, Place, str]  # kind, source, detail


def _never_written(data: Bytes, wrong: NDArray[np.intp]) -> _Verdict | None:
    """Every wrong byte still is what it was poisoned with."""
    if (data[wrong] != POISON).any():
        return None
    first, last = int(wrong[0]), int(wrong[-1])
    if (data == POISON).all():
        return "MISSING", NOWHERE, "nothing was written"
    if (data[first:] == POISON).all():
        return "TRUNCATED", NOWHERE, f"nothing was written after {first} bytes"
    if len(wrong) >= WORD_BYTES:
        return "UNWRITTEN", NOWHERE, f"bytes {first} to {last} hold {len(wrong)} unwritten ones"
    return None


def _displaced(
    data: Bytes, right: Bytes, words: NDArray[np.intp], nonce: int, place: Place
) -> _Verdict | None:
    """Words of another place, or this chunk's own words out of theirs."""
    if _each_in_one_byte(data, right, words) and len(words) < _RUN_WORDS:
        return None
    origin = _origin(data, words, nonce, place)
    if origin is None:
        return None
    source, moved = origin.source, f", moved by {origin.moved_bytes:+d} bytes"
    what = f"{origin.agreeing} words"
    if source == place:
        return "SHIFT", source, what + moved
    moved = moved if origin.moved_bytes else ""
    if source.iteration < place.iteration:
        return "STALE", source, f"{what} of iteration {source.iteration}{moved}"
    return "DUPLICATE", source, f"{what} of chunk {source.chunk}{moved}"


def _origin(data: Bytes, words: NDArray[np.intp], nonce: int, place: Place) -> _Origin | None:
    """The origin that most of the wrong words agree on."""
    best: _Origin | None = None
    for lead in range(WORD_BYTES):
        found = _at_lead(data, words, nonce, place, lead)
        if found and (best is None or found.agreeing > best.agreeing):
            best = found
        if best and best.agreeing * 2 > len(words):
            break
    return best


def _at_lead(
    data: Bytes, words: NDArray[np.intp], nonce: int, place: Place, lead: int
) -> _Origin | None:
    """The commonest origin of words that begin `lead` bytes after where words should begin."""
    starts = words * WORD_BYTES + lead
    starts = starts[starts + WORD_BYTES <= data.size][: _LOOK_BYTES // WORD_BYTES]
    if not len(starts):
        return None
    seen = data[starts[:, None] + np.arange(WORD_BYTES)].view("<u8")[:, 0]
    fields = decode(seen, nonce)
    offsets = fields - (starts // WORD_BYTES).astype(np.uint64)
    values, counts = np.unique(offsets, return_counts=True)
    first = int(np.argmax(offsets == values[np.argmax(counts)]))
    source, index = Place.unpacked(int(fields[first]))
    origin = _Origin(source, int(starts[first]) - index * WORD_BYTES, int(counts.max()))
    return origin if _plausible(origin, place, data.size, lead) else None


def _plausible(origin: _Origin, place: Place, size_bytes: int, lead: int) -> bool:
    """Whether the words can have come from there; random ones say so once in many thousands."""
    if origin.source == place:
        return 0 < abs(origin.moved_bytes) < size_bytes
    agrees = origin.agreeing > 1 or size_bytes < 3 * WORD_BYTES
    return lead == 0 and agrees and origin.source.iteration <= place.iteration + 1


def _each_in_one_byte(data: Bytes, right: Bytes, words: NDArray[np.intp]) -> bool:
    """Whether every wrong word differs in a single byte, as displaced words hardly ever do."""
    wrong = np.flatnonzero(data != right)
    return len(wrong) == len(words)


def _flipped(data: Bytes, right: Bytes, wrong: NDArray[np.intp]) -> _Verdict:
    """The first wrong byte's bits, and how much more was changed."""
    at = int(wrong[0])
    word, byte = divmod(at, WORD_BYTES)
    detail = f"word {word}, byte {byte} (byte {at} of the chunk), "
    detail += f"bits 0x{int(data[at] ^ right[at]):02x}"
    if len(wrong) > 1:
        bits = int(np.unpackbits(data[wrong] ^ right[wrong]).sum())
        detail += f"; {bits} bits in {len(wrong)} bytes in all"
    return "BITFLIP", NOWHERE, detail
