"""The unpack step: whatever the descriptors say, or an error before a byte is copied."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import RemoteProtocolError
from harness.tcpx.net.plugin import PAGE_BYTES
from harness.tcpx.unpack import unpack
from harness.tcpx.unpack.descriptor import DTYPE

BOUNCE = np.random.default_rng(1).integers(0, 256, 40 * PAGE_BYTES + 100, np.uint8)


def descriptors(*rows: tuple[int, int, int]) -> np.ndarray[Any, Any]:
    return np.array(list(rows), DTYPE)


def pages(numbers: list[int], size: int) -> np.ndarray[Any, Any]:
    rows = [
        (number * PAGE_BYTES, min(PAGE_BYTES, size - i * PAGE_BYTES), i * PAGE_BYTES)
        for i, number in enumerate(numbers)
    ]
    return descriptors(*rows)


def by_hand(rows: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    out = np.zeros(size, np.uint8)
    for start, length, place in rows.tolist():
        out[place : place + length] = BOUNCE[start : start + length]
    return out


@settings(deadline=None, max_examples=60)
@given(st.permutations(list(range(40))), st.integers(0, 12 * PAGE_BYTES))
def test_scattered_pages_come_together(order: list[int], size: int) -> None:
    rows = pages(order[: -(-size // PAGE_BYTES)], size)
    out = np.zeros(size, np.uint8)
    unpack(rows, BOUNCE, out)
    assert np.array_equal(
        out, np.concatenate([BOUNCE[s : s + n] for s, n, _ in rows.tolist()] or [out])
    )


@settings(deadline=None, max_examples=30)
@given(st.permutations(list(range(6))))
def test_whole_pages_may_be_told_in_any_order(order: list[int]) -> None:
    rows = pages([30, 7, 12, 0, 39, 8], 6 * PAGE_BYTES)[order]
    out = np.zeros(6 * PAGE_BYTES, np.uint8)
    unpack(rows, BOUNCE, out)
    assert np.array_equal(out, by_hand(rows, out.size))


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_any_pieces_are_copied_in_their_order(data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(0, 300), max_size=8))
    size = sum(lengths)
    rows = descriptors(
        *(
            (
                data.draw(st.integers(0, BOUNCE.size - length)),
                length,
                data.draw(st.integers(0, size - length)),
            )
            for length in lengths
        )
    )
    out = np.zeros(size, np.uint8)
    unpack(rows, BOUNCE, out)
    assert np.array_equal(out, by_hand(rows, size))


@pytest.mark.parametrize("offset", [0, 1, 7])
def test_the_destination_may_begin_anywhere(offset: int) -> None:
    room = np.zeros(3 * PAGE_BYTES + 50 + offset, np.uint8)
    rows = pages([5, 2, 9, 0], 3 * PAGE_BYTES + 50)
    unpack(rows, BOUNCE, room[offset:])
    assert np.array_equal(room[offset:], by_hand(rows, 3 * PAGE_BYTES + 50))
    assert not room[:offset].any()


def test_descriptors_that_changed_are_read_anew() -> None:
    """What is remembered of them is remembered by what they say."""
    size = 3 * PAGE_BYTES + 10
    rows, out = pages([5, 2, 9, 0], size), np.zeros(size, np.uint8)
    for number in (5, 7, 5):
        rows["src_off"][0] = number * PAGE_BYTES
        unpack(rows, BOUNCE, out)
        assert np.array_equal(out, by_hand(rows, size))
    rows["src_off"][0] = BOUNCE.size
    with pytest.raises(RemoteProtocolError, match="bounce buffer"):
        unpack(rows, BOUNCE, out)


def test_descriptors_are_checked_against_each_bounce_buffer_and_destination() -> None:
    rows, out = pages([30, 2], 2 * PAGE_BYTES), np.zeros(2 * PAGE_BYTES, np.uint8)
    for bounce in (BOUNCE, BOUNCE[::-1].copy()):
        unpack(rows, bounce, out)
        assert np.array_equal(out[:PAGE_BYTES], bounce[30 * PAGE_BYTES :][:PAGE_BYTES])
    with pytest.raises(RemoteProtocolError, match="bounce buffer"):
        unpack(rows, BOUNCE[: 30 * PAGE_BYTES], out)
    with pytest.raises(RemoteProtocolError, match="destination"):
        unpack(rows, BOUNCE, out[1:])


SIZE = 2 * PAGE_BYTES + 10
BAD = {
    "page-behind-the-end": pages([0, 41, 1], SIZE),
    "page-just-behind-the-end": pages([0, 40, 1], SIZE),
    "tail-behind-the-end": descriptors(
        (0, PAGE_BYTES, 0),
        (PAGE_BYTES, PAGE_BYTES, PAGE_BYTES),
        (BOUNCE.size - 9, 10, 2 * PAGE_BYTES),
    ),
    "source-at-4-gib": descriptors((0xFFFFFFFF, SIZE, 0)),
    "length-of-4-gib": descriptors((0, 0xFFFFFFFF, 0)),
    "destination-behind-the-end": descriptors((0, SIZE, 1)),
    "destination-wraps": descriptors((0, 10, 2**64 - 5), (0, SIZE - 10, 0)),
    "one-page-twice-its-place": descriptors((0, PAGE_BYTES, 0), (0, PAGE_BYTES, PAGE_BYTES)),
    "too-little": pages([0, 1], 2 * PAGE_BYTES),
    "too-much": descriptors((0, SIZE, 0), (0, 1, 0)),
    "nothing": descriptors(),
    "too-many": np.zeros(2049, DTYPE),
}


@pytest.mark.parametrize("rows", BAD.values(), ids=BAD.keys())
def test_bad_descriptors_are_refused_before_anything_is_copied(rows: np.ndarray[Any, Any]) -> None:
    out = np.zeros(SIZE, np.uint8)
    with pytest.raises(RemoteProtocolError):
        unpack(rows, BOUNCE, out)
    assert not out.any()


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)),
        max_size=4,
    ),
    st.integers(0, 3 * PAGE_BYTES),
)
def test_random_descriptors_never_reach_beyond_either_buffer(
    rows: list[tuple[int, int, int]], size: int
) -> None:
    room = np.zeros(size + 64, np.uint8)
    try:
        unpack(descriptors(*rows), BOUNCE, room[:size])
    except RemoteProtocolError:
        assert not room.any()
    assert not room[size:].any()
