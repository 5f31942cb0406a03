"""Seeded damage of every kind, by the iteration, and who is asked what it is.

An iteration is a group of chunks of one size; most of them are damaged, each in one way, and all
are cut into pieces that lie scattered in a bounce buffer. `compare` asks the reference and the GPU,
chunk by chunk and for the iteration as a whole. Run as a program (SEED COUNT) it compares COUNT
damaged chunks and prints how many of each kind there were.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.tcpx.cuda import Batch, Request, Span, cupy, span
from harness.tcpx.damage import POISON, Finding, classify
from harness.tcpx.payload import Checker
from harness.tcpx.unpack import unpack
from harness.tcpx.unpack.descriptor import DTYPE
from harness.tcpx.words import Place, expected

Bytes = NDArray[np.uint8]
Random = np.random.Generator
NONCE = 0x0123456789ABCDEF
GROUP = 32  # chunks of an iteration
SIZES = (24, 31, 64, 100, 256, 611, 1024, 4096, 5000)
PIECES = (13, 16, 64, 100, 512, 4096)
GUARD = 32  # bytes between two destinations


class Group(NamedTuple):
    """One iteration's chunks as they arrived; `damaged` of them are not what they should be."""

    places: list[Place]
    arrived: list[Bytes]
    damaged: int


def flip(random: Random, chunk: Bytes, others: list[Bytes], place: Place) -> None:
    at = random.integers(0, chunk.size, random.integers(1, 4))
    chunk[at] ^= random.integers(1, 256, at.size, np.uint8)


def stale(random: Random, chunk: Bytes, others: list[Bytes], place: Place) -> None:
    before = place._replace(iteration=place.iteration - int(random.integers(1, 4)))
    span = _some(random, chunk.size)
    chunk[span] = expected(NONCE, before, chunk.size)[span]


def duplicate(random: Random, chunk: Bytes, others: list[Bytes], place: Place) -> None:
    span = _some(random, chunk.size)
    chunk[span] = others[int(random.integers(len(others)))][span]


def shift(random: Random, chunk: Bytes, others: list[Bytes], place: Place) -> None:
    by = int(random.integers(1, min(24, chunk.size)))
    chunk[:] = np.roll(chunk, by if random.integers(2) else -by)


def truncate(random: Random, chunk: Bytes, others: list[Bytes], place: Place) -> None:
    chunk[int(random.integers(1, chunk.size)) :] = POISON


def lose(random: Random, chunk: Bytes, others: list[Bytes], place: Place) -> None:
    chunk[:] = POISON


def hole(random: Random, chunk: Bytes, others: list[Bytes], place: Place) -> None:
    start = int(random.integers(0, chunk.size - 16))
    chunk[start : start + int(random.integers(10, chunk.size - start))] = POISON


def noise(random: Random, chunk: Bytes, others: list[Bytes], place: Place) -> None:
    span = _some(random, chunk.size)
    chunk[span] = random.integers(0, 256, chunk[span].size, np.uint8)


WAYS: tuple[Callable[[Random, Bytes, list[Bytes], Place], None], ...] = (
    flip,
    stale,
    duplicate,
    shift,
    truncate,
    lose,
    hole,
    noise,
)


def _some(random: Random, size: int) -> slice:
    """All of the chunk, or a part of it that begins and ends with a word."""
    if random.integers(2):
        return slice(0, size)
    start = int(random.integers(0, size // 8)) * 8
    return slice(start, start + 8 * int(random.integers(1, size // 8 + 1)))


def group(random: Random) -> Group:
    """One iteration, whose last two damaged chunks have changed places."""
    size, iteration = int(random.choice(SIZES)), int(random.integers(4, 16000))
    places = [Place(iteration, chunk % 4, chunk) for chunk in range(GROUP)]
    right = [expected(NONCE, place, size) for place in places]
    arrived = [chunk.copy() for chunk in right]
    for number in range(4, GROUP - 2):
        WAYS[number % len(WAYS)](random, arrived[number], right[:4], places[number])
    arrived[-1], arrived[-2] = right[-2].copy(), right[-1].copy()
    damaged = sum((a != b).any() for a, b in zip(arrived, right, strict=True))
    return Group(places, arrived, int(damaged))


def groups(seed: int, count: int) -> Iterator[Group]:
    """So many that they have `count` damaged chunks."""
    random = np.random.default_rng(seed)
    while count > 0:
        one = group(random)
        count -= one.damaged
        yield one


class Laid(NamedTuple):
    """Chunks of several groups, cut and scattered: a bounce buffer and descriptors by chunk."""

    bounce: Bytes
    descriptors: list[NDArray[Any]]
    chunks: list[tuple[Place, Bytes]]


def lay(random: Random, parts: Sequence[Group]) -> Laid:
    chunks = [pair for g in parts for pair in zip(g.places, g.arrived, strict=True)]
    bounce = np.zeros(sum(c.size + 16 for _, c in chunks), np.uint8)
    start, tables = 0, []
    for _, data in chunks:
        start = -(-start // 16) * 16
        piece = int(random.choice(PIECES))
        count = -(-data.size // piece)
        table = np.zeros(count, DTYPE)
        table["dst_off"] = np.arange(count) * piece
        table["len"] = np.minimum(piece, data.size - table["dst_off"].astype(np.int64))
        # Backwards, so that the short last piece is the first one.
        table["src_off"] = start + data.size - table["dst_off"] - table["len"]
        if piece % 16 == 0 and count > 1 and random.integers(2):
            table["src_off"] = start + table["dst_off"]
        for s, n, d in table.tolist():
            bounce[s : s + n] = data[d : d + n]
        tables.append(table)
        start += data.size
    return Laid(bounce, tables, chunks)


def by_reference(laid: Laid) -> list[tuple[Bytes, Finding | None]]:
    """What NumPy unpacks, and what it says of that."""
    checker, found = Checker(max(SIZES)), []
    for rows, (place, data) in zip(laid.descriptors, laid.chunks, strict=True):
        out = np.empty(data.size, np.uint8)
        unpack(rows, laid.bounce, out)
        found.append((out, checker.check(out, NONCE, place)))
    return found


def on_device(laid: Laid) -> list[tuple[Bytes, Finding | None]]:
    """The same of the kernels, all chunks in one launch, nothing written between them."""
    device, starts, end = cupy(), [], 0
    for _, data in laid.chunks:
        starts.append(end)
        end = -(-(end + data.size + GUARD) // 16) * 16
    room = device.full(end, POISON, np.uint8)
    bounce = span(device.asarray(laid.bounce))
    to: list[Span] = [
        span(room).part(start, data.size)
        for start, (_, data) in zip(starts, laid.chunks, strict=True)
    ]
    pieces = sum(len(rows) for rows in laid.descriptors)
    batch = Batch(len(to), pieces, resident=True)
    batch.load(
        [
            Request(where, rows, bounce, NONCE, place)
            for where, rows, (place, _) in zip(to, laid.descriptors, laid.chunks, strict=True)
        ]
    )
    batch.launch()
    device.cuda.get_current_stream().synchronize()
    host = room.get()
    got = [host[s : s + data.size] for s, (_, data) in zip(starts, laid.chunks, strict=True)]
    found = list(zip([data.copy() for data in got], batch.findings(), strict=True))
    for data in got:
        data[:] = POISON
    assert (host == POISON).all(), "bytes between two destinations"
    return found


def compare(seed: int, count: int) -> Counter[str]:
    """`count` damaged chunks: who says what of them must be the same, and so must the bytes."""
    kinds: Counter[str] = Counter()
    source, random = groups(seed, count), np.random.default_rng(seed + 1)
    while parts := [one for _, one in zip(range(64), source, strict=False)]:
        laid = lay(random, parts)
        reference, device = by_reference(laid), on_device(laid)
        for (data, finding), (other, other_finding) in zip(reference, device, strict=True):
            assert np.array_equal(data, other)
            assert finding == other_finding, (finding, other_finding)
        for number in range(len(parts)):
            kinds += settled([f for _, f in device[number * GROUP : (number + 1) * GROUP]])
    return kinds


def settled(findings: Sequence[Finding | None]) -> Counter[str]:
    """The kinds of an iteration's damage."""
    wrong = [finding for finding in findings if finding is not None]
    return Counter(finding.kind for finding in classify(wrong))


if __name__ == "__main__":
    print(json.dumps(compare(int(sys.argv[1]), int(sys.argv[2]))))
