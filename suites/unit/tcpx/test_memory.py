"""Host buffers begin at a page, are zero, and are exactly as large as asked."""

from __future__ import annotations

import mmap

import pytest

from harness.tcpx.memory import HUGE_BYTES, host_buffer


@pytest.mark.parametrize("size", [0, 1, 4096, 4097, HUGE_BYTES, HUGE_BYTES + 1])
def test_a_host_buffer_begins_at_a_page(size: int) -> None:
    buffer = host_buffer(size)
    assert buffer.size == size
    assert buffer.ctypes.data % mmap.PAGESIZE == 0
    assert not buffer.any()
    buffer[:] = 7
    assert int(buffer.sum(dtype=int)) == 7 * size
