"""A process tree is its descendants, and its sockets are those that they have open."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from harness.nic.tree import inodes, members

GRANDCHILD = "import sys; print('up', flush=True); sys.stdin.read()"
CHILD = (
    "import subprocess, sys; "
    f"subprocess.run([sys.executable, '-c', {GRANDCHILD!r}], pass_fds=map(int, sys.argv[1:]))"
)
GONE = 4_194_305  # above what the kernel gives


@pytest.fixture
def held() -> Iterator[tuple[int, int]]:
    """A child's pid, and the inode of a socket that only its child has open besides us."""
    with socket.socket() as sock:
        inode = os.fstat(sock.fileno()).st_ino
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(sock.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[sock.fileno()],
        )
        assert child.stdout
        assert child.stdout.readline() == b"up\n"
        yield child.pid, inode
        child.communicate(b"")


def test_children_of_children_belong_to_it(held: tuple[int, int]) -> None:
    pid, _ = held
    assert members(pid)[0] == pid
    assert len(members(pid)) == 2
    assert set(members(pid)) < set(members(os.getpid()))


def test_a_sockets_inode_leads_to_who_has_it_open(held: tuple[int, int]) -> None:
    pid, inode = held
    assert inode in inodes(members(pid)[1:])
    assert inode in inodes([os.getpid()])
    assert inode not in inodes([])


def test_who_is_gone_has_nothing() -> None:
    assert members(GONE) == [GONE]
    assert inodes([GONE]) == set()
