"""Host memory for payload: page-aligned, in huge pages where the kernel has them.

Where a buffer begins decides how fast it is: a copy whose destination lies 1 to 15 bytes further
into its page than the source does runs at a fifth of the speed, and NumPy's own arrays begin 16
bytes into a page, so that no 64-byte load or store of theirs is aligned.
"""

from __future__ import annotations

import mmap
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

HUGE_BYTES = 2 << 20


def host_buffer(size_bytes: int, *, shared: bool = False) -> NDArray[np.uint8]:
    """Zeroed bytes, of this process or `shared` with those that it forks; freed with the last array
    that looks at them."""
    kind = mmap.MAP_SHARED if shared else mmap.MAP_PRIVATE
    memory = mmap.mmap(-1, max(1, size_bytes), flags=kind | mmap.MAP_ANONYMOUS)
    if size_bytes >= HUGE_BYTES:
        with suppress(OSError):  # a kernel that knows none
            memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.uint8)[:size_bytes]
