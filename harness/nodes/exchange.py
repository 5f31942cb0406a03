"""One command's conversation on one channel: stdin in, both outputs out, until its exit status.

The three are moved together in one loop, since a full pipe on any of them stops the others. Output
is kept within bounds: the head, the tail, and how much is missing between them.
"""

from __future__ import annotations

import select
from dataclasses import dataclass
from typing import Any, Protocol

from harness.nodes.deadline import Deadline

PIECE_BYTES = 64 * 1024
TICK_S = 0.1
FULL_S = 0.005  # between two looks at a channel that takes no more stdin
QUIET_S = 1.0  # after the exit status, for what a leftover child may still hold


class Channel(Protocol):
    """What this file needs of a paramiko channel."""

    closed: Any
    eof_received: Any  # a truth value

    def fileno(self) -> int: ...
    def recv_ready(self) -> bool: ...
    def recv(self, nbytes: int) -> bytes: ...
    def recv_stderr_ready(self) -> bool: ...
    def recv_stderr(self, nbytes: int) -> bytes: ...
    def send_ready(self) -> bool: ...
    def send(self, s: bytes) -> int: ...
    def shutdown_write(self) -> None: ...
    def exit_status_ready(self) -> bool: ...
    def recv_exit_status(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command did. `code` is the exit status, 128 + N when signal N ended it."""

    code: int
    stdout: str
    stderr: str
    duration_s: float


class Capture:
    """Bytes of a stream, at most `limit_bytes` of them: first half and last half."""

    def __init__(self, limit_bytes: int) -> None:
        self._half = limit_bytes // 2
        self._head, self._tail = bytearray(), bytearray()
        self.cut_bytes = 0

    def feed(self, data: bytes) -> None:
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self._half:  # trimmed seldom, so that it costs little
            self._trim()

    def _trim(self) -> None:
        extra = max(0, len(self._tail) - self._half)
        del self._tail[:extra]
        self.cut_bytes += extra

    @property
    def data(self) -> bytes:
        self._trim()
        mark = b"\n[... %d bytes cut ...]\n" % self.cut_bytes if self.cut_bytes else b""
        return bytes(self._head) + mark + bytes(self._tail)

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "backslashreplace")


class Exchange:
    """Runs the conversation; `out` and `err` hold what was heard so far, also after a failure."""

    def __init__(self, channel: Channel, stdin: bytes, limit_bytes: int) -> None:
        self.out, self.err = Capture(limit_bytes), Capture(limit_bytes)
        self._channel = channel
        self._stdin = memoryview(stdin)
        self._open = True  # our side of stdin

    def finish(self, deadline: Deadline) -> int | None:
        """The exit status; None when the connection was lost before it came."""
        channel = self._channel
        poll = select.poll()
        poll.register(channel.fileno(), select.POLLIN)
        quiet_s = 0.0
        while not (channel.eof_received or channel.closed):
            left_s = deadline.left("a command")
            self._feed()
            tick_s = min(left_s, FULL_S if self._stdin else TICK_S)
            poll.poll(tick_s * 1000)
            heard = self._drain()
            quiet_s = quiet_s + tick_s if channel.exit_status_ready() and not heard else 0.0
            if quiet_s > QUIET_S:
                break
        self._drain()
        return self._status(deadline)

    def _status(self, deadline: Deadline) -> int | None:
        poll = select.poll()  # an empty poll is a sleep that no signal cuts short
        while not self._channel.exit_status_ready():
            poll.poll(min(deadline.left("a command"), FULL_S) * 1000)
        code = self._channel.recv_exit_status()
        return None if code < 0 else code

    def _feed(self) -> None:
        while self._stdin and self._channel.send_ready():
            sent = self._channel.send(bytes(self._stdin[:PIECE_BYTES]))
            self._stdin = self._stdin[sent:]
        if not self._stdin and self._open:
            self._open = False
            self._channel.shutdown_write()

    def _drain(self) -> bool:
        heard = False
        while self._channel.recv_ready():
            self.out.feed(self._channel.recv(PIECE_BYTES))
            heard = True
        while self._channel.recv_stderr_ready():
            self.err.feed(self._channel.recv_stderr(PIECE_BYTES))
            heard = True
        return heard
