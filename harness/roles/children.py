"""The processes of a program that we host: started together, heard by lines, ended as a tree."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from harness.errors import CrashError, HangError
from harness.nic import tree
from harness.programs import Command

LINE_BYTES = 1 << 16
KILL_S = 1.0
Heard = Callable[[str, int], None]  # a line, and the number of the process that wrote it


@dataclass(slots=True)
class Child:
    """One process, and the lines that it has not finished, by file descriptor."""

    number: int
    process: subprocess.Popen[bytes]
    partial: dict[int, bytearray] = field(default_factory=dict)


class Children:
    """All processes of one role's program."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._children: list[Child] = []
        self._outputs = selectors.DefaultSelector()

    @property
    def pids(self) -> list[int]:
        return [child.process.pid for child in self._children]

    @property
    def numbers(self) -> list[int]:
        return [child.number for child in self._children]

    @property
    def silent(self) -> bool:
        """Whether all outputs are closed: nothing more will be said."""
        return not self._outputs.get_map()

    def start(self, commands: Iterable[Command], folder: str) -> None:
        """Start all; `folder` is where those work that name none."""
        for command in commands:
            process = subprocess.Popen(
                command.words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd=command.folder or folder,
                env=_environment(command),
            )
            child = Child(command.process, process)
            self._children.append(child)
            for pipe in (process.stdout, process.stderr):
                assert pipe is not None
                os.set_blocking(pipe.fileno(), False)
                child.partial[pipe.fileno()] = bytearray()
                self._outputs.register(pipe, selectors.EVENT_READ, child)

    def hear(self, timeout_s: float) -> None:
        """Pass on the lines that come within `timeout_s`."""
        for key, _ in self._outputs.select(timeout_s):
            data = os.read(key.fd, LINE_BYTES)
            self._take(key.data, key.fd, data)
            if not data:
                self._outputs.unregister(key.fileobj)

    def status(self, timeout_s: float) -> int:
        """The first exit status that is not 0; CrashError for an end by a signal."""
        until_s = time.monotonic() + timeout_s
        codes = {}
        for child in self._children:
            codes[child.number] = _waited(child, until_s)
        for number, code in codes.items():
            if code < 0:
                raise CrashError(f"process {number} was ended by {signal.Signals(-code).name}")
        return next((code for code in codes.values() if code), 0)

    def end(self) -> None:
        """Nothing of it may be left; whoever has left the tree is found by the leash."""
        for child in self._children:
            if child.process.poll() is None:
                for pid in tree.members(child.process.pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                child.process.wait(KILL_S)

    def _take(self, child: Child, fd: int, data: bytes) -> None:
        """Cut what came into lines; the last one may end without a newline."""
        *lines, rest = bytes(child.partial[fd] + data).split(b"\n")
        if not data or len(rest) > LINE_BYTES:
            lines, rest = [*lines, *filter(None, [rest])], b""
        child.partial[fd] = bytearray(rest)
        for line in lines:
            self._heard(line.decode("utf-8", "backslashreplace"), child.number)


def _waited(child: Child, until_s: float) -> int:
    """Its exit status; it has closed its outputs, which is not yet an end."""
    try:
        return child.process.wait(max(until_s - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired as error:
        raise HangError(f"process {child.number} said all and did not end in time") from error


def _environment(command: Command) -> dict[str, str]:
    """The node's own on top of the defaults, below what the plan says; our code is not its code."""
    node = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**command.defaults, **node, **command.environment}
