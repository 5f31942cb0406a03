from __future__ import annotations

import array
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

CODE = Path(__file__).parents[3]


def answer(path: Path, message: bytes, files: list[int]) -> socket.socket:
    """A door that says one thing once."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(1)

    def serve() -> None:
        visitor, _ = listener.accept()
        with visitor:
            socket.send_fds(visitor, [message], files)

    threading.Thread(target=serve, daemon=True).start()
    return listener


def proxy(path: Path, stdout: int) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "harness.testbed.door", str(path)]
    return subprocess.run(
        argv, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, timeout=20, cwd=CODE
    )


def test_what_the_door_gives_is_passed_on_to_ssh(tmp_path: Path) -> None:
    near, far = socket.socketpair()
    ours, sshs = socket.socketpair()
    with near, far, ours, sshs, answer(tmp_path / "door", b"+", [far.fileno()]):
        ran = proxy(tmp_path / "door", sshs.fileno())
        assert (ran.returncode, ran.stderr) == (0, "")
        byte, files, _, _ = socket.recv_fds(ours, 16, 4)
        assert len(byte) == 1
        with socket.socket(fileno=array.array("i", files)[0]) as passed:
            passed.sendall(b"hello")
        assert near.recv(16) == b"hello"


@pytest.mark.parametrize("said", [b"-node is down", None])
def test_a_door_that_stays_shut_says_why(tmp_path: Path, said: bytes | None) -> None:
    path = tmp_path / "door"
    held = answer(path, said, []) if said else None
    ran = proxy(path, subprocess.PIPE)
    assert ran.returncode == 1
    assert "no way through the door" in ran.stderr
    assert ("node is down" if said else "No such file") in ran.stderr
    if held:
        held.close()
