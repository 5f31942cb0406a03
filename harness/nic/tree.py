"""A process tree: who is in it, and which sockets are open in it. Read from /proc, by number."""

from __future__ import annotations

import os

SOCKET = "socket:["


def members(root: int) -> list[int]:
    """`root` and its living descendants; an orphan whom another has adopted is not among them."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (parent := _parent(int(name))):
            children.setdefault(parent, []).append(int(name))
    found = [root]
    for pid in found:
        found += children.get(pid, ())
    return found


def inodes(pids: list[int]) -> set[int]:
    """The inodes of all sockets that these processes have open."""
    return {inode for pid in pids for inode in _sockets(pid)}


def _parent(pid: int) -> int:
    """0 for a process that has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def _sockets(pid: int) -> list[int]:
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    found = []
    for name in names:
        try:
            target = os.readlink(f"{folder}/{name}")
        except OSError:  # closed meanwhile
            continue
        if target.startswith(SOCKET):
            found.append(int(target[len(SOCKET) : -1]))
    return found
