"""One process of the testbed as its controller sees it: started, asked, ended.

The controller holds the write end of the process's stdin, close-on-exec, and nothing else; that
pipe is the life line. What the process prints when it fails goes to a file that has no name.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from harness.errors import TestbedError

CODE = str(Path(__file__).parents[2])  # the folder that holds the package
END_S = 5.0


def python_environment() -> dict[str, str]:
    """For a process of ours that may start anywhere, installed or not."""
    path = os.pathsep.join(filter(None, [CODE, os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


class Member:
    """A running `harness.testbed.init`."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.name: str = spec["name"]
        self.pid = 0  # of its PID 1, as seen from here; known once ready
        self.public_key = ""
        self._errors = os.memfd_create(self.name, os.MFD_CLOEXEC)
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-m", "harness.testbed.init"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=python_environment(),
            cwd="/",
            start_new_session=True,  # Ctrl-C is for the controller
        )
        self.tell({**spec, "controller": os.getpid(), "skew_s": spec.get("skew_s", 0)})

    @property
    def root(self) -> Path:
        """Its files, from outside."""
        return Path(f"/proc/{self.pid}/root")

    def tell(self, message: dict[str, Any]) -> None:
        """Send one line. A process that is gone says why when it is asked next."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass

    def await_ready(self, deadline_s: float) -> None:
        """Wait until it has made its namespaces, its files and its key."""
        line = self._read_line(deadline_s)
        if not line.endswith(b"\n"):
            raise self.failure("did not come up")
        ready = json.loads(line)
        self.pid, self.public_key = ready["pid"], ready["public_key"]

    def _read_line(self, deadline_s: float) -> bytes:
        """What stdout holds when a line or its end has come, or when the time is over."""
        assert self._process.stdout is not None
        file, line = self._process.stdout.fileno(), b""
        with selectors.DefaultSelector() as selector:
            selector.register(file, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, deadline_s - time.monotonic())):
                    break
                if not (more := os.read(file, 4096)):
                    break
                line += more
        return line

    def ended(self) -> bool:
        return self._process.poll() is not None

    def failure(self, what: str) -> TestbedError:
        """Why it does not work, in its own words."""
        said = os.pread(self._errors, 1 << 16, 0).decode(errors="replace").strip()
        return TestbedError(
            f"{self.name} {what}: {said or 'it said nothing'}",
            where="testbed",
            fix="Run: python -m harness doctor",
        )

    def ask_to_end(self) -> None:
        """Close its life line; the kernel takes the rest down."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def end(self) -> None:
        """Return when it is gone."""
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(END_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        if self._errors >= 0:
            os.close(self._errors)
            self._errors = -1
