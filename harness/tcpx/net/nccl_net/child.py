"""The plugin's process, seen from the role: started, listened to, and its death certified."""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import harness
from harness.errors import PluginCrashError, PluginError
from harness.tcpx.memory import host_buffer, shared_file
from harness.tcpx.net.nccl_net import logger, wire

WORKER = "harness.tcpx.net.nccl_net.worker"
LAST_LINES = 8  # that an error quotes
SAID_LINES = 200  # that are passed on: some plugins have one for every message
DEATH_S = 2.0  # for a process whose socket is closed to be gone, and its last words to be read
BREATH_S = 0.02  # for a line that came before an answer to be read

Say = Callable[[str], None]


class Child:
    """One process with one plugin. `control` is its socket for everything that is of no comm."""

    def __init__(
        self, path: str, environment: Mapping[str, str], say: Say, gpu: int | None = None
    ) -> None:
        self._say = say
        self.last: deque[logger.Said] = deque(maxlen=LAST_LINES)
        self._heard = 0
        self.is_mourned = False  # whether somebody has been told of its death
        self._page = host_buffer(mmap.PAGESIZE, shared=True)
        self.control, theirs = wire.pair()
        with theirs:
            self._process = self._start(path, environment, theirs.fileno(), gpu)
        assert self._process.stdout is not None
        self._reader = threading.Thread(
            target=self._listen, args=(self._process.stdout,), name="plugin-log", daemon=True
        )
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    @property
    def verb(self) -> str:
        """What the plugin is busy with, or was when it died; '' when with nothing."""
        return bytes(self._page[:32]).rstrip(b"\0").decode()

    @property
    def last_words(self) -> str:
        """The plugin's last lines, as an error quotes them."""
        self._reader.join(BREATH_S)
        return f"; its last words: {' / '.join(map(str, self.last))}" if self.last else ""

    def death(self) -> PluginError:
        """What became of a process that does not answer any more."""
        verb, self.is_mourned = self.verb, True
        try:
            code = self._process.wait(DEATH_S)
        except subprocess.TimeoutExpired:
            return PluginError("the plugin's process closed its sockets and lives on")
        self._reader.join(DEATH_S)
        how = f"was killed by {_signal(-code)}" if code < 0 else f"exited with {code}"
        return PluginCrashError(
            f"the plugin's process {how}{f' in {verb}' if verb else ''}{self.last_words}",
            expected="a process that lives until it is closed",
        )

    def close(self) -> None:
        """End the process; what it still had open is the kernel's to close."""
        self.control.close()
        try:
            self._process.wait(DEATH_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(DEATH_S)

    def _start(
        self, path: str, environment: Mapping[str, str], control: int, gpu: int | None
    ) -> subprocess.Popen[str]:
        page, _ = shared_file(self._page)
        root = str(Path(harness.__file__).parents[1])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        command = [sys.executable, "-m", WORKER, path, str(control), str(page)]
        return subprocess.Popen(
            [*command, *([] if gpu is None else [str(gpu)])],
            env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(paths)},
            pass_fds=(control, page),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def _listen(self, lines: IO[str]) -> None:
        with lines, contextlib.suppress(ValueError):
            for line in lines:
                said = logger.parse(line.rstrip("\n"))
                self.last.append(said)
                self._heard += 1
                if self._heard <= SAID_LINES:
                    self._say(f"[ncclNet] {said}")


def _signal(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
