"""Checking finds nothing in a right chunk and something in every wrong one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.tcpx.payload import Checker, Place, expected, fill, poison, words

NONCE = 0xFEDCBA9876543210
SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 23, 4095, 4096, 4097, 100_003]
BLOCK = 512 * 1024  # what is checked at a time
LARGE = [BLOCK - 1, BLOCK, BLOCK + 1, BLOCK + 8, BLOCK + 9, 8 << 20]


@pytest.mark.parametrize("size", SIZES + LARGE)
def test_what_was_filled_is_right(size: int) -> None:
    place, checker = Place(3, 2, 70), Checker(size)
    data = np.empty(size, np.uint8)
    fill(data, NONCE, place)
    assert np.array_equal(data, expected(NONCE, place, size))
    assert checker.check(data, NONCE, place) is None
    assert (checker.words, checker.bytes) == (words(size), size)


@settings(deadline=None, max_examples=100)
@given(
    st.integers(1, 3000),
    st.integers(0, 7),
    st.integers(0, 16383),
    st.integers(0, 63),
    st.integers(0, (1 << 24) - 1),
    st.integers(0, (1 << 64) - 1),
)
def test_no_right_chunk_is_flagged(
    size: int, lead: int, iteration: int, channel: int, chunk: int, nonce: int
) -> None:
    """Wherever it begins in memory and whatever its place."""
    place = Place(iteration, channel, chunk)
    room = np.zeros(size + lead, np.uint8)
    fill(room[lead:], nonce, place)
    assert Checker(size).check(room[lead:], nonce, place) is None
    assert not room[:lead].any()


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_no_changed_byte_is_missed(data: st.DataObject) -> None:
    size = data.draw(st.sampled_from([*SIZES, BLOCK + 5]))
    at = data.draw(st.integers(0, size - 1))
    change = data.draw(st.integers(1, 255))
    place, checker = Place(1, 1, 1), Checker(size)
    chunk = expected(NONCE, place, size)
    chunk[at] ^= change
    finding = checker.check(chunk, NONCE, place)
    assert finding is not None
    assert finding.first_word == finding.last_word == at // 8
    assert finding.words_wrong == 1
    assert (checker.words, checker.bytes) == (0, 0), "nothing was verified"


@pytest.mark.parametrize("at", [0, 7, 8, BLOCK - 1, BLOCK, BLOCK + 8, 2 * BLOCK, 2 * BLOCK + 10])
def test_no_changed_byte_is_missed_between_blocks(at: int) -> None:
    chunk = expected(NONCE, Place(0, 0, 0), 2 * BLOCK + 11)
    chunk[at] ^= 0x80
    finding = Checker(chunk.size).check(chunk, NONCE, Place(0, 0, 0))
    assert finding is not None
    assert finding.first_word == finding.last_word == at // 8


@pytest.mark.parametrize("other", [Place(2, 2, 70), Place(3, 1, 70), Place(3, 2, 71)])
@pytest.mark.parametrize("size", [3, 8, 23, 5000])
def test_a_chunk_of_another_place_is_wrong(size: int, other: Place) -> None:
    place = Place(3, 2, 70)
    data = expected(NONCE, other, size)
    if (data == expected(NONCE, place, size)).all():
        assert size < 8, "a word says its place in full; its first bytes need not"
    else:
        assert Checker(size).check(data, NONCE, place) is not None


def test_another_runs_payload_is_wrong() -> None:
    place = Place(0, 0, 0)
    data = expected(NONCE + 1, place, 64)
    finding = Checker(64).check(data, NONCE, place)
    assert finding is not None
    assert finding.words_wrong == 8


@pytest.mark.parametrize("size", [2, 8, 23, 4096])
def test_a_poisoned_chunk_is_wrong(size: int) -> None:
    data = np.empty(size, np.uint8)
    poison(data)
    finding = Checker(size).check(data, NONCE, Place(0, 0, 0))
    assert finding is not None
    assert finding.kind == "MISSING"


def test_any_buffer_can_be_filled_and_checked() -> None:
    for buffer in (bytearray(100), memoryview(bytearray(100)), np.zeros(100, np.uint8)):
        fill(buffer, NONCE, Place(0, 0, 5))
        assert Checker(100).check(buffer, NONCE, Place(0, 0, 5)) is None


def test_a_checker_checks_chunks_of_different_sizes() -> None:
    checker = Checker(max(LARGE))
    for size in [*SIZES, *LARGE]:
        assert checker.check(expected(NONCE, Place(0, 0, 1), size), NONCE, Place(0, 0, 1)) is None
    assert checker.bytes == sum(SIZES) + sum(LARGE)
