"""Memory on the plugin's side: what the role shares, and the file behind what the plugin shares.

Pointers of the plugin are read through /proc/self/mem, which refuses where the processor would
trap.
"""

from __future__ import annotations

import ctypes
import mmap
import os


class Mapping:
    """A piece of the role's shared memory, at `address` in this process."""

    def __init__(self, file: int, offset: int, size_bytes: int) -> None:
        skip = offset % mmap.ALLOCATIONGRANULARITY
        self._memory = mmap.mmap(file, max(1, size_bytes) + skip, offset=offset - skip)
        self._first = ctypes.c_char.from_buffer(self._memory)  # keeps it mapped
        self.address = ctypes.addressof(self._first) + skip

    def close(self) -> None:
        del self._first
        self._memory.close()


class Unreadable(Exception):
    """A pointer that does not lead to memory of this process."""


def read(address: int, size_bytes: int) -> bytes:
    file = os.open("/proc/self/mem", os.O_RDONLY)
    try:
        data = os.pread(file, size_bytes, address)
    except (OSError, OverflowError) as error:
        raise Unreadable(f"{address:#x}: {error}") from error
    finally:
        os.close(file)
    if len(data) < size_bytes:
        raise Unreadable(f"{address:#x}: {len(data)} of {size_bytes} bytes")
    return data


def file_behind(address: int) -> tuple[int, int, int]:
    """An open file (of the plugin's), where in it the address is, and the bytes from there on."""
    with open("/proc/self/maps", encoding="ascii", errors="replace") as maps:
        for line in maps:
            places, mode, offset, _, inode, *_ = line.split()
            start, end = (int(place, 16) for place in places.split("-"))
            if start <= address < end:
                file = _open_file(int(inode)) if mode.endswith("s") else None
                if file is None:
                    raise Unreadable(f"{address:#x} is memory that cannot be shared")
                return file, int(offset, 16) + address - start, end - address
    raise Unreadable(f"{address:#x} is not mapped")


def _open_file(inode: int) -> int | None:
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.fstat(int(name)).st_ino == inode:
                return int(name)
        except OSError:  # the listing's own
            continue
    return None
