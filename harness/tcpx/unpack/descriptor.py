"""The descriptor: 16 bytes that say where a piece of a message lies and where it belongs.

The layout is the plugin's (`loadMeta`), so that the same descriptors feed NumPy and a GPU kernel.
Descriptors come from outside: nothing may be copied by them before `validate` has seen them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import RemoteProtocolError
from harness.tcpx.net.plugin import MAX_DESCRIPTORS

DTYPE = np.dtype([("src_off", "<u4"), ("len", "<u4"), ("dst_off", "<u8")])


def validate(descriptors: NDArray[Any], *, bounce_bytes: int, size_bytes: int) -> None:
    """Refuse descriptors that are too many, leave either buffer, or do not add up."""
    count = len(descriptors)
    if count > MAX_DESCRIPTORS:
        raise RemoteProtocolError(
            f"{count} descriptors for one request", expected=f"at most {MAX_DESCRIPTORS}"
        )
    length = descriptors["len"].astype(np.uint64)
    _inside(descriptors["src_off"].astype(np.uint64), length, bounce_bytes, "bounce buffer")
    _inside(descriptors["dst_off"], length, size_bytes, "destination")
    if (total := int(length.sum())) != size_bytes:
        raise RemoteProtocolError(
            f"the descriptors add up to {total} bytes", expected=f"{size_bytes} bytes"
        )


def _inside(offset: NDArray[Any], length: NDArray[Any], room: int, what: str) -> None:
    # Not offset + length, which may wrap.
    outside = length > np.uint64(room) - np.minimum(offset, np.uint64(room))
    if outside.any():
        first = int(np.argmax(outside))
        raise RemoteProtocolError(
            f"descriptor {first} covers bytes {int(offset[first])} + {int(length[first])}",
            expected=f"a piece inside the {room} bytes of the {what}",
        )
