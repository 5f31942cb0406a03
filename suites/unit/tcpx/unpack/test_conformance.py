"""What every implementation of unpacking and verifying must do; the GPU's half is marked `gpu`."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from harness.errors import RemoteProtocolError
from harness.tcpx.net.plugin import MAX_DESCRIPTORS, PAGE_BYTES
from harness.tcpx.unpack.descriptor import DTYPE
from harness.tcpx.words import Place, expected
from suites.unit.tcpx.unpack.gatherers import Bytes, Device, Host, Job

NONCE = 0xFEDCBA9876543210
PLACE = Place(7, 2, 70)
Gatherer = Host | Device


@pytest.fixture(
    scope="module",
    params=[
        "host",
        pytest.param("device", marks=pytest.mark.gpu),
        pytest.param("pinned", marks=pytest.mark.gpu),
    ],
)
def gatherer(request: pytest.FixtureRequest) -> Gatherer:
    return Host() if request.param == "host" else Device(request.param)


def scattered(
    data: Bytes, cuts: list[int], seed: int = 0, gap: int = 0, residue: int = 0
) -> tuple[Any, Bytes]:
    """Descriptors and a bounce buffer that holds `data`, cut there, in another order. Every piece
    begins `residue` bytes behind a multiple of 16, if `gap` is 16."""
    edges = [0, *cuts, data.size]
    pieces = [(a, b - a) for a, b in pairwise(edges)]
    order = np.random.default_rng(seed).permutation(len(pieces))
    bounce, rows = bytearray(b"\x5a" * residue), {}
    for number in order:
        start, length = pieces[number]
        if gap:
            bounce += b"\x5a" * ((residue - len(bounce)) % gap)
        rows[number] = (len(bounce), length, start)
        bounce += data[start : start + length].tobytes()
    table = np.array([rows[n] for n in range(len(pieces))], DTYPE)
    return table, np.frombuffer(bytes(bounce), np.uint8)


def job(data: Bytes, cuts: list[int], place: Place = PLACE, **kwargs: int) -> Job:
    leads = {name: kwargs.pop(name) for name in ("lead", "bounce_lead") if name in kwargs}
    rows, bounce = scattered(data, cuts, **kwargs)
    return Job(rows, bounce, data.size, NONCE, place, **leads)


def pages(size: int) -> list[int]:
    return list(range(PAGE_BYTES, size, PAGE_BYTES))


SIZES = [0, 1, 7, 8, 9, 15, 16, 17, 23, 4095, 4096, 4097, 4111, 65536, 12 * PAGE_BYTES + 50]


@pytest.mark.parametrize("size", SIZES)
def test_pages_come_together_and_are_right(gatherer: Gatherer, size: int) -> None:
    right = expected(NONCE, PLACE, size)
    one = job(right, pages(size))
    assert np.array_equal(gatherer.unpack(one), right)
    (received,) = gatherer.receive([one])
    assert np.array_equal(received.data, right)
    assert received.finding is None


RESIDUES = [0, 1, 2, 4, 8, 12]


@pytest.mark.parametrize("source", RESIDUES)
def test_any_alignment_of_either_buffer(gatherer: Gatherer, source: int) -> None:
    """The widest load that fits is 16, 8, 4, 2 or 1 byte."""
    size = 2 * PAGE_BYTES + 50
    right = expected(NONCE, PLACE, size)
    jobs = [
        job(right, pages(size), gap=16, residue=residue, lead=lead, bounce_lead=source)
        for lead in RESIDUES
        for residue in RESIDUES
    ]
    for received in gatherer.receive(jobs):
        assert np.array_equal(received.data, right)
        assert received.finding is None


@pytest.mark.parametrize("seed", range(4))
def test_pieces_of_any_length_share_words(gatherer: Gatherer, seed: int) -> None:
    random = np.random.default_rng(seed)
    jobs, rights = [], []
    for _ in range(24):
        size = int(random.integers(2, 3000))
        count = min(size - 1, int(random.integers(1, 60)))
        cuts = sorted(random.choice(np.arange(1, size), count, replace=False).tolist())
        data = expected(NONCE, PLACE, size)
        for at in random.choice(size, int(random.integers(0, 3)), replace=False):
            data[at] ^= 0x11
        rights.append(data)
        jobs.append(job(data, cuts, seed=seed, lead=int(random.integers(0, 16))))
    for one, data, received in zip(jobs, rights, gatherer.receive(jobs), strict=True):
        assert np.array_equal(received.data, data)
        assert received.finding == Host().check(data, NONCE, one.place)


@pytest.mark.parametrize("seed", range(4))
def test_pieces_that_overlap_are_copied_in_their_order(gatherer: Gatherer, seed: int) -> None:
    """The last one wins, and what none has written is seen."""
    random = np.random.default_rng(seed)
    bounce = random.integers(0, 256, 5000, np.uint8)
    lengths = random.integers(0, 300, 12)
    size = int(lengths.sum())
    rows = np.array(
        [
            (random.integers(0, bounce.size - n), n, random.integers(0, size - n + 1))
            for n in lengths.tolist()
        ],
        DTYPE,
    )
    one = Job(rows, bounce, size, NONCE, PLACE)
    (reference,) = Host().receive([one])
    assert np.array_equal(gatherer.unpack(one), reference.data)
    (received,) = gatherer.receive([one])
    assert np.array_equal(received.data, reference.data)
    assert received.finding == reference.finding
    assert received.finding is not None


def test_pieces_may_be_told_in_any_order(gatherer: Gatherer) -> None:
    size = 6 * PAGE_BYTES
    one = job(expected(NONCE, PLACE, size), pages(size))
    shuffled = one._replace(descriptors=one.descriptors[[3, 0, 5, 1, 4, 2]])
    (received,) = gatherer.receive([shuffled])
    assert np.array_equal(received.data, expected(NONCE, PLACE, size))
    assert received.finding is None


def test_requests_may_share_pages_of_the_bounce_buffer(gatherer: Gatherer) -> None:
    size = 5 * PAGE_BYTES
    one = job(expected(NONCE, PLACE, size), pages(size))
    other = one._replace(place=Place(7, 2, 71))
    first, second, third = gatherer.receive([one, other, one])
    assert first.finding is None
    assert third.finding is None
    assert second.finding is not None
    assert (second.finding.kind, second.finding.source) == ("DUPLICATE", PLACE)
    assert second.finding.words_wrong == size // 8


def test_a_request_of_as_many_descriptors_as_there_may_be(gatherer: Gatherer) -> None:
    size = MAX_DESCRIPTORS * 24
    data = expected(NONCE, PLACE, size)
    data[[5, size - 1]] ^= 1
    (received,) = gatherer.receive([job(data, list(range(24, size, 24)))])
    assert np.array_equal(received.data, data)
    assert received.finding is not None
    assert (received.finding.first_word, received.finding.last_word) == (0, size // 8 - 1)
    assert received.finding.words_wrong == 2


SIZE = 2 * PAGE_BYTES + 10
BAD = {
    "source-behind-the-end": [(0, PAGE_BYTES, 0), (PAGE_BYTES, PAGE_BYTES + 10, PAGE_BYTES)],
    "destination-behind-the-end": [(0, SIZE - 1, 2)],
    "destination-wraps": [(0, 10, 2**64 - 5), (0, SIZE - 10, 0)],
    "too-little": [(0, SIZE - 1, 0)],
    "nothing": [],
    "too-many": [(0, 0, 0)] * (MAX_DESCRIPTORS + 1),
}


@pytest.mark.parametrize("rows", BAD.values(), ids=BAD.keys())
def test_bad_descriptors_are_refused(gatherer: Gatherer, rows: list[tuple[int, int, int]]) -> None:
    bounce = np.zeros(2 * PAGE_BYTES, np.uint8)
    one = Job(np.array(rows, DTYPE), bounce, SIZE)
    with pytest.raises(RemoteProtocolError):
        gatherer.unpack(one)
    with pytest.raises(RemoteProtocolError):
        gatherer.receive([one])


@pytest.mark.parametrize("at", [0, 7, 8, 4095, 4096, 8000, 8191, 8192, 8199, 8206])
@pytest.mark.parametrize("lead", [0, 3])
def test_no_changed_byte_is_missed(gatherer: Gatherer, at: int, lead: int) -> None:
    size = 2 * PAGE_BYTES + 15
    data = expected(NONCE, PLACE, size)
    data[at] ^= 0x80
    (received,) = gatherer.receive([job(data, pages(size), lead=lead)])
    assert received.finding is not None
    assert received.finding.first_word == received.finding.last_word == at // 8
    assert received.finding.words_wrong == 1
    assert received.finding == gatherer.check(data, NONCE, PLACE)


@pytest.mark.parametrize("size", [1, 8, 23, 4096, 100_003])
@pytest.mark.parametrize("lead", [0, 1, 8])
def test_what_is_filled_is_the_payload(gatherer: Gatherer, size: int, lead: int) -> None:
    room = gatherer.filled(size, NONCE, PLACE, lead)
    assert np.array_equal(room[lead:], expected(NONCE, PLACE, size))
    assert not room[:lead].any()
    assert gatherer.check(room[lead:].copy(), NONCE, PLACE) is None


@pytest.mark.parametrize("size", [2, 8, 23, 100_003])
def test_what_is_poisoned_is_missing(gatherer: Gatherer, size: int) -> None:
    finding = gatherer.check(gatherer.poisoned(size), NONCE, PLACE)
    assert finding is not None
    assert finding.kind == "MISSING"
