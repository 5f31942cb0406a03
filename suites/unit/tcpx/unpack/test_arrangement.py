"""What a kernel must know of descriptors: whether they tile, and how they are aligned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.errors import RemoteProtocolError
from harness.tcpx.unpack.arrangement import Arrangement, How, arrange
from harness.tcpx.unpack.descriptor import DTYPE

PAGE = 4096


def arranged(*rows: tuple[int, int, int], size: int = 0) -> Arrangement:
    table = np.array(list(rows), DTYPE)
    return arrange(table, bounce_bytes=1 << 20, size_bytes=size or int(table["len"].sum()))


def rows(pieces: Any) -> list[tuple[int, int, int]]:
    return [tuple(row) for row in pieces.tolist()]


def test_pages_and_a_tail_are_aligned() -> None:
    found = arranged((8192, PAGE, 0), (0, PAGE, PAGE), (4096, 77, 2 * PAGE))
    assert found.how(0x1000, 0x2000) == How.ALIGNED


@pytest.mark.parametrize(("bounce", "destination"), [(8, 0), (0, 8), (1, 1), (0, 4)])
def test_buffers_that_begin_elsewhere_are_not(bounce: int, destination: int) -> None:
    found = arranged((8192, PAGE, 0), (0, PAGE, PAGE))
    assert found.how(0x1000 + bounce, 0x2000 + destination) == How.TILED


def test_an_offset_may_make_up_for_where_a_buffer_begins() -> None:
    assert arranged((8, PAGE, 0)).how(0x1008, 0x2000) == How.ALIGNED


def test_pieces_that_end_inside_a_word_are_not_aligned() -> None:
    assert arranged((0, 20, 0), (32, 12, 20)).how(0, 0) == How.TILED


def test_pieces_are_sorted_by_place_and_empty_ones_left_out() -> None:
    found = arranged((64, 16, 16), (0, 0, 5), (0, 16, 0))
    assert rows(found.pieces) == [(0, 16, 0), (64, 16, 16)]
    assert found.how(0, 0) == How.ALIGNED


def test_pieces_that_overlap_stay_in_their_order() -> None:
    found = arranged((64, 16, 8), (0, 16, 0), size=32)
    assert rows(found.pieces) == [(64, 16, 8), (0, 16, 0)]
    assert found.how(0, 0) == How.DISORDERED


def test_nothing_tiles_nothing() -> None:
    assert arranged().how(0, 0) == How.TILED


def test_descriptors_are_validated_each_time() -> None:
    table = np.array([(0, 16, 0)], DTYPE)
    assert arrange(table, bounce_bytes=16, size_bytes=16).tile
    with pytest.raises(RemoteProtocolError, match="bounce buffer"):
        arrange(table, bounce_bytes=15, size_bytes=16)
    table["src_off"] = 1
    with pytest.raises(RemoteProtocolError, match="bounce buffer"):
        arrange(table, bounce_bytes=16, size_bytes=16)
