"""A list of views behaves like the bytes that it covers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.tcpx.net.views import fill

PIECES = st.lists(st.binary(min_size=0, max_size=6), max_size=6)


def views(pieces: list[bytes]) -> list[memoryview]:
    return [memoryview(bytearray(piece)) for piece in pieces]


@given(PIECES, st.binary(max_size=40))
def test_fill_writes_over_the_beginning(pieces: list[bytes], data: bytes) -> None:
    target, whole = views(pieces), b"".join(pieces)
    count = fill(target, data)
    assert count == min(len(whole), len(data))
    assert b"".join(target) == data[:count] + whole[count:]
