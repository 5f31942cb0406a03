"""Every kind of damage is named exactly: kind, place, extent and origin."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.tcpx.damage import KINDS, NOWHERE, POISON, Finding, classify, diagnose
from harness.tcpx.words import Place, expected

NONCE = 0x0123456789ABCDEF
PLACE = Place(iteration=5, channel=2, chunk=70)
SIZES = [24, 31, 64, 100, 4096, 4097, 12_345, 40_003]
Bytes = np.ndarray[Any, Any]


def right(place: Place = PLACE, size: int = 4096) -> Bytes:
    return expected(NONCE, place, size)


def finding(data: Bytes, place: Place = PLACE) -> Finding:
    """What is said of `data`, its extent checked against a plain comparison."""
    found = diagnose(data, NONCE, place)
    wrong = np.flatnonzero(data != expected(NONCE, place, data.size)) // 8
    assert found.place == place
    assert (found.first_word, found.last_word) == (wrong[0], wrong[-1])
    assert found.words_wrong == len(set(wrong.tolist()))
    assert found.kind in KINDS
    return found


# -- changed on the way ------------------------------------------------------------------------


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_flipped_bit_is_named_to_the_bit(data: st.DataObject) -> None:
    size = data.draw(st.sampled_from(SIZES))
    at, bit = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, 7))
    chunk = right(size=size)
    chunk[at] ^= 1 << bit
    if at == size - 1 and chunk[at] == POISON:
        return  # it looks like a last byte that was never written
    found = finding(chunk)
    assert found.kind == "BITFLIP"
    assert found.source == NOWHERE
    assert found.detail == (
        f"word {at // 8}, byte {at % 8} (byte {at} of the chunk), bits 0x{1 << bit:02x}"
    )


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from([5000, 100_003]),
    st.lists(st.integers(0, 4999), min_size=1, max_size=20, unique=True),
    st.integers(1, 255),
)
def test_many_flips_are_not_taken_for_anything_else(
    size: int, where: list[int], change: int
) -> None:
    """The same bits in many words have one offset too, but come from nowhere."""
    chunk = right(size=size)
    chunk[where] ^= change
    if (chunk[where] == POISON).all():
        return  # they look like bytes that were never written
    assert finding(chunk).kind == "BITFLIP"


LATE = Place(iteration=16_383, channel=2, chunk=70)  # nearly any origin is an earlier iteration


@pytest.mark.parametrize("count", [1, 2, 20])
def test_top_bits_are_not_taken_for_an_earlier_iteration(count: int) -> None:
    """The same change of the top byte in several words is one offset, of iterations only."""
    chunk = right(LATE)
    chunk[7 :: 8 * 10][:count] ^= 0x80
    assert finding(chunk, LATE).kind == "BITFLIP"


def test_a_single_odd_word_is_not_taken_for_another_places() -> None:
    for seed in range(20):
        chunk = right(LATE)
        chunk[800:808] = np.random.default_rng(seed).integers(0, 256, 8, np.uint8)
        assert finding(chunk, LATE).kind == "BITFLIP"


def test_a_byte_that_became_poison_is_flipped() -> None:
    chunk = right()
    chunk[100] = POISON
    assert finding(chunk).kind == "BITFLIP"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("span", [8, 64, 1000, 5000])
def test_noise_is_not_taken_for_anything_else(seed: int, span: int) -> None:
    random = np.random.default_rng(seed)
    chunk = right(size=5000)
    chunk[5000 - span :] = random.integers(0, 256, span, np.uint8)
    found = finding(chunk)
    assert found.kind == "BITFLIP"
    bits = int(np.unpackbits(chunk ^ right(size=5000)).sum())
    assert re.search(rf"{bits} bits in \d+ bytes in all", found.detail)


# -- never written -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 8, *SIZES])
def test_a_chunk_that_was_never_written_is_missing(size: int) -> None:
    found = finding(np.full(size, POISON, np.uint8))
    assert (found.kind, found.source) == ("MISSING", NOWHERE)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_a_cut_chunk_is_truncated_at_the_byte(data: st.DataObject) -> None:
    size = data.draw(st.sampled_from(SIZES))
    kept = data.draw(st.integers(1, size - 1))
    chunk = right(size=size)
    chunk[kept:] = POISON
    wrong = np.flatnonzero(chunk != right(size=size))
    if not len(wrong):
        return  # what was cut off happened to be poison
    found = finding(chunk)
    assert found.kind == "TRUNCATED"
    assert found.detail == f"nothing was written after {wrong[0]} bytes"


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 11), st.integers(1, 6))
def test_pages_that_were_never_written_are_a_hole(page: int, pages: int) -> None:
    chunk = right(size=20 * 4096)
    chunk[page * 4096 : (page + pages) * 4096] = POISON
    found = finding(chunk)
    assert found.kind == "UNWRITTEN"
    assert found.first_word == page * 512


# -- from elsewhere ----------------------------------------------------------------------------


@settings(deadline=None, max_examples=100)
@given(st.sampled_from([8, 16, *SIZES]), st.integers(1, 16383), st.data())
def test_an_earlier_iterations_chunk_is_stale(
    size: int, iteration: int, data: st.DataObject
) -> None:
    before = Place(data.draw(st.integers(0, iteration - 1)), 2, 70)
    now = Place(iteration, 2, 70)
    chunk = right(before, size)
    changed = np.flatnonzero(chunk != right(now, size))
    found = finding(chunk, now)
    if size < 512 * 8 and len(changed) == found.words_wrong:
        return  # so few words, each changed in one byte only, are as likely flipped
    assert (found.kind, found.source) == ("STALE", before)


@pytest.mark.parametrize("size", [3, 7])
def test_a_stale_chunk_of_less_than_a_word_is_wrong_all_the_same(size: int) -> None:
    chunk = right(Place(5, 2, 71), size)
    assert finding(chunk).kind == "BITFLIP"  # too few bytes to say where they come from


@settings(deadline=None, max_examples=100)
@given(st.sampled_from([8, 16, *SIZES]), st.integers(0, (1 << 24) - 1), st.integers(0, 63))
def test_another_chunks_words_are_named(size: int, chunk: int, channel: int) -> None:
    source = Place(5, channel, chunk)
    if source == PLACE:
        return
    found = finding(right(source, size))
    assert (found.kind, found.source) == ("DUPLICATE", source)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 11), st.integers(1, 6))
def test_pages_of_another_chunk_are_named(page: int, pages: int) -> None:
    source, chunk = Place(5, 3, 71), right(size=20 * 4096)
    span = slice(page * 4096, (page + pages) * 4096)
    chunk[span] = right(source, 20 * 4096)[span]
    found = finding(chunk)
    assert (found.kind, found.source) == ("DUPLICATE", source)
    assert found.words_wrong == pages * 512


def test_pages_of_another_chunk_in_another_place_tell_how_far() -> None:
    source, chunk = Place(5, 3, 71), right(size=20 * 4096)
    chunk[4096:8192] = right(source, 20 * 4096)[12_288:16_384]
    found = finding(chunk)
    assert (found.kind, found.source) == ("DUPLICATE", source)
    assert found.detail == "512 words of chunk 71, moved by -8192 bytes"


# -- moved -------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from([64, 100, 4097, 12_345, 100_003]),
    st.sampled_from([*range(1, 8), 8, 9, 16, 31]),
    st.booleans(),
    st.sampled_from([0, POISON, 0xFF]),
)
def test_moved_bytes_are_a_shift(size: int, by: int, forward: bool, filler: int) -> None:
    chunk, rest = right(size=size), np.full(by, filler, np.uint8)
    chunk = np.concatenate([rest, chunk[:-by]] if forward else [chunk[by:], rest])
    found = finding(chunk)
    assert (found.kind, found.source) == ("SHIFT", PLACE)
    assert f"moved by {by if forward else -by:+d} bytes" in found.detail


@pytest.mark.parametrize("by", [1, 2, 3, 4, 5, 6, 7, 4096])
@pytest.mark.parametrize("start", [0, 8192, 8199])
def test_a_shift_may_begin_anywhere(by: int, start: int) -> None:
    size = 512 * 1024
    chunk = right(size=size)
    chunk[start + by :] = right(size=size)[start : size - by]
    chunk[start : start + by] = POISON
    found = finding(chunk)
    assert found.kind == "SHIFT"
    assert f"moved by {by:+d} bytes" in found.detail


def test_the_greater_damage_names_the_kind() -> None:
    """A page of another chunk in one that is shifted: most words say that it is a shift."""
    chunk = np.concatenate([np.zeros(3, np.uint8), right(size=8 * 4096)[:-3]])
    chunk[4096:8192] = right(Place(5, 3, 71), 8 * 4096)[4096:8192]
    found = finding(chunk)
    assert found.kind == "SHIFT"
    assert "moved by +3 bytes" in found.detail


def test_two_pages_in_each_others_place_are_a_shift() -> None:
    whole, chunk = right(size=8 * 4096), right(size=8 * 4096)
    chunk[4096:8192], chunk[12_288:16_384] = whole[12_288:16_384], whole[4096:8192]
    found = finding(chunk)
    assert found.kind == "SHIFT"
    assert "512 words" in found.detail


# -- what only all findings together can tell --------------------------------------------------


def place(chunk: int, iteration: int = 5) -> Place:
    return Place(iteration, chunk % 4, chunk)


def arrivals(contents: dict[int, int | Place | None], size: int = 1000) -> dict[int, str]:
    """chunk -> kind, when `contents` says what stands in each chunk's place."""
    found = []
    for chunk, content in contents.items():
        source = content if isinstance(content, Place) else place(content or 0)
        data = np.full(size, POISON, np.uint8) if content is None else right(source, size)
        if source != place(chunk) or content is None:
            found.append(diagnose(data, NONCE, place(chunk)))
    return {f.place.chunk: f.kind for f in classify(found, arrived=contents)}


def test_two_chunks_in_each_others_place_are_a_swap() -> None:
    assert arrivals({0: 0, 1: 2, 2: 1, 3: 3}) == {1: "SWAP", 2: "SWAP"}


def test_chunks_that_went_round_are_a_swap() -> None:
    assert arrivals({0: 4, 4: 8, 8: 0}) == {0: "SWAP", 4: "SWAP", 8: "SWAP"}


def test_a_chunk_that_stands_in_two_places_is_a_duplicate() -> None:
    assert arrivals({0: 0, 1: 1, 2: 1, 3: 3}) == {2: "DUPLICATE"}


def test_a_dropped_chunk_is_missing_though_the_next_came_in_its_place() -> None:
    kinds = arrivals({0: 0, 4: 8, 8: 12, 1: 1})
    assert kinds[4] == "MISSING"
    assert kinds[8] == "SWAP", "it came, in the place before"


def test_a_dropped_chunk_is_missing_when_the_next_iterations_first_came() -> None:
    assert arrivals({0: 0, 4: Place(6, 0, 0)}) == {4: "MISSING"}


def test_a_chunk_that_was_never_written_stays_missing() -> None:
    assert arrivals({0: 0, 1: None}) == {1: "MISSING"}


def test_a_stale_chunk_stays_stale() -> None:
    assert arrivals({0: place(0, 4), 1: 1}) == {0: "STALE"}


def test_nothing_wrong_is_nothing_found() -> None:
    assert classify([]) == []


@settings(deadline=None, max_examples=60)
@given(st.permutations(list(range(12))))
def test_any_permutation_of_chunks_is_all_swaps(order: list[int]) -> None:
    moved = {i: "SWAP" for i, content in enumerate(order) if content != i}
    assert arrivals(dict(enumerate(order)), size=64) == moved
