"""A kernel is given only memory that the device reaches."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import CudaError
from harness.tcpx.cuda import Span, cupy, pinned, span


def test_a_part_lies_inside() -> None:
    whole = Span(1000, 50)
    assert whole.part(10, 40) == Span(1010, 40)
    assert whole.part(50, 0).size_bytes == 0
    for start, size in ((0, 51), (-1, 2), (50, 1), (3, -1)):
        with pytest.raises(CudaError, match="expected a part of them"):
            whole.part(start, size)


def test_gaps_are_refused() -> None:
    with pytest.raises(CudaError, match="bytes in a row"):
        span(np.zeros(10, np.uint8)[::2])


@pytest.mark.gpu
def test_ordinary_memory_is_refused() -> None:
    with pytest.raises(CudaError, match="ordinary host memory"):
        span(np.zeros(10, np.uint8))


@pytest.mark.gpu
def test_device_and_pinned_memory_are_taken() -> None:
    device, host = cupy().arange(100, dtype=np.uint8), pinned(100)
    host[:] = np.arange(100)
    for array in (device, host):
        found = span(array).part(10, 5)
        assert found.to_host().tolist() == [10, 11, 12, 13, 14]
        assert span(array[10:15]).address == found.address
