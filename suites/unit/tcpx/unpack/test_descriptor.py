"""A descriptor is 16 bytes, and says in words what is wrong with it."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import RemoteProtocolError
from harness.tcpx.unpack.descriptor import DTYPE, validate


def test_the_layout_is_the_plugins() -> None:
    assert DTYPE.itemsize == 16
    assert DTYPE.fields is not None
    assert {name: field[1] for name, field in DTYPE.fields.items()} == {
        "src_off": 0,
        "len": 4,
        "dst_off": 8,
    }


def test_good_descriptors_pass() -> None:
    validate(np.array([(90, 10, 0), (0, 5, 10)], DTYPE), bounce_bytes=100, size_bytes=15)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            (91, 10, 0),
            r"bytes 91 \+ 10; expected a piece inside the 100 bytes of the bounce",
        ),
        ((0, 10, 1), r"bytes 1 \+ 10; expected a piece inside the 10 bytes of the dest"),
        ((0, 9, 0), "add up to 9 bytes; expected 10 bytes"),
    ],
)
def test_what_is_wrong_is_said(row: tuple[int, int, int], words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        validate(np.array([row], DTYPE), bounce_bytes=100, size_bytes=10)
