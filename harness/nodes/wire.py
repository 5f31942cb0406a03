"""The conversation with the leash: JSON lines over one SSH channel.

A thread reads, a thread beats. Requests have numbers, and their replies wake whoever asked; all
else goes to the listener. Both sides hold each other to the same silence: the leash kills its roles
when no heartbeat comes, and here the leash is lost when its answers stop.
"""

from __future__ import annotations

import importlib.resources
import json
import shlex
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from queue import Full
from typing import Any

from harness.errors import DeadlineError, LeashError
from harness.nodes.ssh import BROKEN, Connection

BEAT_S = 2.0
SILENCE_S = 10.0
ANSWER_S = 10.0
LINE_BYTES = 64 * 1024 * 1024  # no message of the leash comes near it
# The program follows on stdin: exactly that many bytes, so that none of the requests is swallowed.
BOOT = "import os;b=b''\nwhile len(b)<{0}:b+=os.read(0,{0}-len(b)) or exit(3)\nexec(b)"
Message = dict[str, Any]


class Wire:
    """`listen` gets every event with its time of arrival, `lose` one last call with the reason."""

    def __init__(
        self,
        connection: Connection,
        listen: Callable[[Message, float], None],
        lose: Callable[[str], None],
        silence_s: float = SILENCE_S,
    ) -> None:
        self.lost = ""  # why, once it is
        self._connection, self._listen, self._lose = connection, listen, lose
        self._silence_s = silence_s
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._asked: dict[int, Future[tuple[Message, float]]] = {}
        self._number = 0
        self._said: deque[str] = deque(maxlen=20)  # what is not JSON: a shell's or Python's words
        self._hello: Future[tuple[Message, float]] = Future()
        self._ended = threading.Event()
        self._start()

    @property
    def node(self) -> str:
        return self._connection.spec.name

    def ask(self, op: str, **fields: Any) -> tuple[Message, float]:
        """A request's reply, and when it came."""
        future: Future[tuple[Message, float]] = Future()
        with self._lock:
            if self.lost:
                raise self._gone()
            self._number += 1
            number = self._number
            self._asked[number] = future
        self._send({"id": number, "op": op, **fields})
        reply, at_s = self._wait(future, op)
        if "error" in reply:
            raise LeashError(f"{op} failed: {reply['error']}", where=self.node)
        return reply, at_s

    def close(self) -> None:
        """Say bye and wait until everything on the node is gone."""
        if not self.lost:
            self._send({"op": "bye"})
            self._ended.wait(self._silence_s)
        self._end("it was closed")

    def _start(self) -> None:
        program = importlib.resources.files("harness.nodes").joinpath("leash.py").read_bytes()
        boot = BOOT.format(len(program))
        words = [self._connection.spec.python, "-c", boot, "tcpx-harness-leash"]
        command = shlex.join([*words, str(self._silence_s)])
        self._channel = self._connection.open(f"exec {command}", ANSWER_S)
        self._channel.set_combine_stderr(True)
        self._channel.settimeout(self._silence_s)
        for target in (self._read, self._beat):
            threading.Thread(target=target, name=f"leash-{self.node}", daemon=True).start()
        self._write(program)
        try:
            self._wait(self._hello, "its start")
        except BaseException:
            self._end("it did not start")
            raise

    def _wait(self, future: Future[tuple[Message, float]], what: str) -> tuple[Message, float]:
        try:
            return future.result(ANSWER_S)
        except TimeoutError as error:
            seen = f"the leash did not answer within {ANSWER_S:g} s: {what}"
            raise DeadlineError(seen, where=self.node) from error

    def _send(self, message: Message) -> None:
        self._write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def _write(self, data: bytes) -> None:
        try:
            with self._writing:
                self._channel.sendall(data)
        except BROKEN as error:  # whoever waits for an answer is woken by this
            self._end(f"it takes no requests: {str(error) or type(error).__name__}")

    def _beat(self) -> None:
        while not self._ended.wait(min(BEAT_S, self._silence_s / 4)):
            self._send({"op": "beat"})

    def _read(self) -> None:
        buffer = bytearray()
        try:
            while data := self._channel.recv(65536):
                buffer += data
                if b"\n" in data:
                    *lines, buffer = buffer.split(b"\n")
                    for line in lines:
                        self._take(bytes(line), time.monotonic())
                if len(buffer) > LINE_BYTES:
                    raise LeashError("it sends no newline")
            why = "it ended"
        except TimeoutError:
            why = f"it said nothing for {self._silence_s:g} s"
        except Full:
            why = "nobody took its events from their queue"
        except Exception as error:  # noqa: BLE001 - the edge of a thread: whatever it is, say it
            why = f"{type(error).__name__}: {error}"
        self._end(why)

    def _take(self, line: bytes, at_s: float) -> None:
        try:
            message: Message = json.loads(line)
            kind = message.get("ev")
        except (ValueError, AttributeError):
            self._said.append(line[:1000].decode("utf-8", "backslashreplace"))
            return
        if "re" in message:
            future = self._asked.pop(message["re"] or 0, None)
            if future is not None:
                future.set_result((message, at_s))
        elif kind == "hello":
            self._hello.set_result((message, at_s))
        elif kind == "bye":
            self._said.append(message["why"])
        elif kind == "note":
            self._said.append(message["text"])
        else:
            self._listen(message, at_s)

    def _end(self, why: str) -> None:
        """The one place where the leash is given up; only the first reason counts."""
        with self._lock:
            if self.lost:
                return
            self.lost = "; ".join([why, *self._said])
            waiting = [self._hello, *self._asked.values()]
        self._ended.set()
        self._connection.release(self._channel)
        for future in waiting:
            if not future.done():
                future.set_exception(self._gone())
        self._lose(self.lost)

    def _gone(self) -> LeashError:
        return LeashError(
            f"the leash is lost: {self.lost}",
            where=self.node,
            fix=f"Does `{self._connection.spec.python}` start on the node?",
        )
