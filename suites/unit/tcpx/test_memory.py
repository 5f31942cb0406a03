"""Host buffers begin at a page, are zero, and are exactly as large as asked."""

from __future__ import annotations

import gc
import mmap
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from harness.errors import LocalProtocolError
from harness.tcpx.memory import HUGE_BYTES, host_buffer, map_file, shared_file


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("size", [0, 1, 4096, 4097, HUGE_BYTES, HUGE_BYTES + 1])
def test_a_host_buffer_begins_at_a_page(size: int, shared: bool) -> None:
    buffer = host_buffer(size, shared=shared)
    assert buffer.size == size
    assert buffer.ctypes.data % mmap.PAGESIZE == 0
    assert not buffer.any()
    buffer[:] = 7
    assert int(buffer.sum(dtype=int)) == 7 * size


@pytest.mark.parametrize(("start", "size"), [(0, 10_000), (5000, 100), (9999, 1)])
def test_a_piece_of_shared_memory_can_be_mapped_by_its_file(start: int, size: int) -> None:
    buffer = host_buffer(10_000, shared=True)
    file, offset = shared_file(buffer[start : start + size])
    assert offset == start
    mapped = map_file(file, offset, size)
    mapped[:] = 7
    assert buffer.tolist() == [0] * start + [7] * size + [0] * (10_000 - start - size)


def test_shared_memory_is_shared_with_a_fork() -> None:
    buffer = host_buffer(1, shared=True)
    child = os.fork()
    if not child:
        buffer[0] = 7
        os._exit(0)
    os.waitpid(child, 0)
    assert buffer[0] == 7


def test_memory_of_this_process_alone_has_no_file() -> None:
    for private in (host_buffer(4096), np.zeros(10, np.uint8)):
        with pytest.raises(LocalProtocolError, match="no other process can see"):
            shared_file(private)


def test_the_file_goes_with_the_last_array_that_looks_at_the_memory() -> None:
    whole = host_buffer(4096, shared=True)
    piece = whole[10:20]
    file, _ = shared_file(whole)
    del whole
    gc.collect()
    os.fstat(file)
    del piece
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)


def test_memory_has_its_own_file_while_others_come_and_go() -> None:
    """An address is another's as soon as its memory is free, which is before its file is closed."""
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            host_buffer(4096, shared=True)[0] = 1

    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(churn) for _ in range(2)]
        for _ in range(1000):
            buffer = host_buffer(4096, shared=True)
            file, offset = shared_file(buffer)
            map_file(file, offset, 1)[:] = 7
            assert buffer[0] == 7
            del buffer
        stop.set()
        for other in others:
            other.result()
