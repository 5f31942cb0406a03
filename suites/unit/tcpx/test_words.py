"""A word says where it belongs, and nothing else says the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.tcpx.words import ODD, Place, decode, expected, first_word, flat, nonce_of, words

PLACES = st.builds(
    Place,
    iteration=st.integers(0, (1 << 14) - 1),
    channel=st.integers(0, 63),
    chunk=st.integers(0, (1 << 24) - 1),
)
NONCES = st.integers(0, (1 << 64) - 1)


@given(PLACES, st.integers(0, (1 << 20) - 1), NONCES)
def test_a_word_decodes_to_its_place(place: Place, index: int, nonce: int) -> None:
    word = ((place.packed + index) * ODD + nonce) % (1 << 64)
    fields = int(decode(np.array([word], np.uint64), nonce)[0])
    assert Place.unpacked(fields) == (place, index)


@given(PLACES, NONCES)
def test_the_words_of_a_chunk_rise_by_the_odd_constant(place: Place, nonce: int) -> None:
    seen = expected(nonce, place, 800).view("<u8")
    assert int(seen[0]) == int(first_word(nonce, place))
    assert (np.diff(seen) == np.uint64(ODD)).all()


def test_the_layout_is_the_one_that_is_written_down() -> None:
    # The figures of docs/wire_format.md: whoever implements it elsewhere must get these.
    place = Place(iteration=1, channel=2, chunk=3)
    assert place.packed == (1 << 50) | (2 << 44) | (3 << 20)
    assert expected(0, Place(0, 0, 0), 16).tobytes().hex() == "0000000000000000157c4a7fb979379e"
    assert expected(7, place, 10).tobytes().hex() == "0700f043f77d9e121c7c"


@pytest.mark.parametrize("size", [1, 7, 8, 9, 23])
def test_a_tail_is_the_beginning_of_the_word_that_would_stand_there(size: int) -> None:
    place = Place(3, 1, 9)
    assert expected(5, place, size).tobytes() == expected(5, place, 24).tobytes()[:size]


def test_a_tail_counts_as_a_word() -> None:
    assert [words(size) for size in (0, 1, 7, 8, 9)] == [0, 1, 1, 1, 2]


def test_any_buffer_is_bytes_and_flat_bytes_are_themselves() -> None:
    data = np.arange(64, dtype=np.uint8)
    assert flat(data) is data
    for view in (data.tobytes(), memoryview(data), data.view("<u8"), data.reshape(8, 8)):
        assert flat(view).tobytes() == data.tobytes()
    with pytest.raises(ValueError, match="contiguous"):
        flat(data[::2])
    with pytest.raises(ValueError, match="contiguous"):
        flat(data[::-1])


def test_a_nonce_comes_from_all_of_the_text() -> None:
    assert nonce_of("run/1") != nonce_of("run/2")
    assert 0 <= nonce_of("") < 1 << 64
