"""A door gives one connected socket, or the reason why not."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import SshError
from harness.nodes.door import receive


def through(folder: Path, answer: Callable[[socket.socket], object]) -> socket.socket:
    """What comes through a door whose keeper does `answer`."""
    path = str(folder / "door")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def keep() -> None:
            with listener.accept()[0] as peer:
                answer(peer)

        thread = threading.Thread(target=keep, daemon=True)
        thread.start()
        try:
            return receive(path, 5.0)
        finally:
            thread.join(5)


def test_connection_comes_through(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        got = through(tmp_path, lambda peer: socket.send_fds(peer, [b"+"], [theirs.fileno()]))
        with got:
            ours.sendall(b"hello")
            assert got.recv(10) == b"hello"


@pytest.mark.parametrize(
    ("message", "fds", "words"),
    [
        (b"-it rains", 0, "no connection: it rains"),
        (b"", 0, "it said b''"),
        (b"+", 0, r"it said b'\+'"),
        (b"+", 2, r"it said b'\+'"),
        (b"-no", 1, "no connection: no"),
    ],
)
def test_everything_else_is_refused_and_closed(
    tmp_path: Path, message: bytes, fds: int, words: str
) -> None:
    def answer(peer: socket.socket) -> None:
        if message:
            socket.send_fds(peer, [message], [0] * fds)

    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(SshError, match=words):
        through(tmp_path, answer)
    assert len(os.listdir("/proc/self/fd")) == before


def test_absent_door_and_overlong_path_are_named(tmp_path: Path) -> None:
    with pytest.raises(SshError, match="No such file"):
        receive(str(tmp_path / "none"), 1.0)
    with pytest.raises(SshError, match="longer than 107 bytes"):
        receive("/" + "x" * 107, 1.0)
