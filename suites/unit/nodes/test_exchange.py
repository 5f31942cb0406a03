"""What a command said is kept within bounds, and what is missing is counted."""

from __future__ import annotations

import pytest

from harness.nodes.exchange import Capture


def captured(data: bytes, limit: int, piece: int) -> Capture:
    capture = Capture(limit)
    for start in range(0, len(data), piece):
        capture.feed(data[start : start + piece])
    return capture


@pytest.mark.parametrize("piece", [1, 7, 10, 1000])
@pytest.mark.parametrize("size", [0, 1, 5, 10])
def test_what_fits_is_kept_whole(size: int, piece: int) -> None:
    data = bytes(range(size))
    capture = captured(data, 10, piece)
    assert (capture.data, capture.cut_bytes) == (data, 0)


@pytest.mark.parametrize("piece", [1, 7, 10, 1000])
@pytest.mark.parametrize("size", [11, 15, 30, 200])
def test_head_and_tail_stay_and_the_rest_is_counted(size: int, piece: int) -> None:
    data = bytes(range(size))
    capture = captured(data, 10, piece)
    mark = f"\n[... {size - 10} bytes cut ...]\n".encode()
    assert capture.data == data[:5] + mark + data[-5:]
    assert capture.cut_bytes == size - 10


def test_text_shows_bytes_that_are_no_text() -> None:
    assert captured(b"\xffa\0\xc3\xa9", 100, 3).text == "\\xffa\0é"
