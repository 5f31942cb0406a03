"""A header is believed only if it is one, in turn, and no larger than what waits for it."""

from __future__ import annotations

import pytest

from harness.errors import RemoteProtocolError
from harness.tcpx.net import frame


def test_a_header_says_its_size() -> None:
    assert frame.parse_header(bytearray(frame.header(7, 600, 99)), 7, 600) == 600


def test_every_structure_has_16_bytes() -> None:
    assert frame.HEADER_BYTES == frame.GREETING_BYTES == 16


def test_the_sequence_wraps() -> None:
    raw = bytearray(frame.header((1 << 32) + 5, 1, 1 << 40))
    assert frame.parse_header(raw, (1 << 32) + 5, 1) == 1


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"HTTP/1.1 400 Bad", "HTTP/1.1"),
        (frame.header(8, 10, 0), "frame 8; expected frame 7"),
        (frame.header(7, 11, 0), "11 bytes into a receive of 10"),
    ],
)
def test_what_is_no_header_in_turn_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        frame.parse_header(bytearray(raw), 7, 10)
