"""Host memory for payload: page-aligned, in huge pages where the kernel has them.

Where a buffer begins decides how fast it is: a copy whose destination lies 1 to 15 bytes further
into its page than the source does runs at a fifth of the speed, and NumPy's own arrays begin 16
bytes into a page, so that no 64-byte load or store of theirs is aligned.

Shared memory is a file without a name: whoever is forked has it, and whoever is sent its descriptor
can map it too.
"""

from __future__ import annotations

import mmap
import os
import weakref
from contextlib import suppress
from itertools import count

import numpy as np
from numpy.typing import NDArray

from harness.errors import LocalProtocolError

HUGE_BYTES = 2 << 20
# Shared memory: its number -> its first address, its bytes, its file. Of an address the youngest
# counts: memory is free, and its address another's, before anybody hears of it.
_files: dict[int, tuple[int, int, int]] = {}
_numbers = count()


def host_buffer(size_bytes: int, *, shared: bool = False) -> NDArray[np.uint8]:
    """Zeroed bytes, of this process or `shared` with others; freed with the last array that looks
    at them."""
    room = max(1, size_bytes)
    file = _nameless_file(room) if shared else -1
    kind = mmap.MAP_SHARED if shared else mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    memory = mmap.mmap(file, room, flags=kind)
    if size_bytes >= HUGE_BYTES:
        with suppress(OSError):  # a kernel that knows none
            memory.madvise(mmap.MADV_HUGEPAGE)
    whole = np.frombuffer(memory, np.uint8)
    if shared:
        _remember(memory, whole.ctypes.data, room, file)
    return whole[:size_bytes]


def shared_file(array: NDArray[np.uint8]) -> tuple[int, int]:
    """The open file that a piece of shared memory is of, and where in it the piece begins."""
    address = array.ctypes.data
    for start, room, file in reversed(_files.copy().values()):
        if start <= address and address + array.size <= start + room:
            return file, address - start
    raise LocalProtocolError(
        "memory that no other process can see", expected="memory of host_buffer(shared=True)"
    )


def map_file(file: int, offset: int, size_bytes: int) -> NDArray[np.uint8]:
    """A piece of a file, shared with whoever sent it; the caller may close the file after."""
    skip = offset % mmap.ALLOCATIONGRANULARITY
    memory = mmap.mmap(file, max(1, size_bytes) + skip, offset=offset - skip)
    return np.frombuffer(memory, np.uint8)[skip : skip + size_bytes]


def _nameless_file(size_bytes: int) -> int:
    file = os.memfd_create("payload")
    os.ftruncate(file, size_bytes)
    return file


def _remember(memory: mmap.mmap, address: int, room: int, file: int) -> None:
    number = next(_numbers)
    _files[number] = address, room, file
    weakref.finalize(memory, _forget, number)


def _forget(number: int) -> None:
    os.close(_files.pop(number)[2])
