"""A door: a Unix socket that hands out connected sockets to one node's sshd.

The controller need not be on the node's network. It connects to the door and gets one message: a
plus sign with one file descriptor, or a minus sign with the reason why there is none.
"""

from __future__ import annotations

import contextlib
import os
import socket

from harness.errors import SshError

MESSAGE_BYTES = 4096
MAX_PATH_BYTES = 107  # sun_path without its NUL


def receive(path: str, timeout_s: float) -> socket.socket:
    """A connected socket to the node behind the door."""
    if len(os.fsencode(path)) > MAX_PATH_BYTES:
        raise _closed(path, f"its path is longer than {MAX_PATH_BYTES} bytes")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
            door.settimeout(timeout_s)
            door.connect(path)
            message, fds, _, _ = socket.recv_fds(door, MESSAGE_BYTES, 4)
    except OSError as error:
        raise _closed(path, str(error)) from error
    if message[:1] == b"+" and len(fds) == 1:
        return socket.socket(fileno=fds[0])
    for fd in fds:
        with contextlib.suppress(OSError):
            os.close(fd)
    raise _closed(path, message[1:].decode("utf-8", "replace") or f"it said {message!r}")


def _closed(path: str, why: str) -> SshError:
    return SshError(
        f"the door gave no connection: {why}",
        expected="a connected socket",
        where=path,
        fix="Is what made the door (a testbed?) still running?",
    )
