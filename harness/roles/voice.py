"""How a role speaks.

Under a leash, records go to stdout as JSON lines and sentences for people to stderr; started by
hand, sentences go to stdout and records nowhere, since there is nobody to read them. A thread gives
a sign of life several times a second, so that a role that hangs is told from one that waits.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

from harness.evidence import Progress, Record, RoleFailed, encode

SIGN_OF_LIFE_S = 0.25


class Voice:
    """One role's mouth; any of its threads may speak."""

    def __init__(self, *, node: str, role: str, by_hand: bool) -> None:
        self.node, self.role = node, role
        self._records: TextIO | None = None if by_hand else sys.stdout
        self._people: TextIO = sys.stdout if by_hand else sys.stderr
        self._lock = threading.Lock()

    def record(self, record: Record) -> None:
        """Write one record where the controller reads it."""
        if self._records is None:
            return
        line = json.dumps(encode(record), separators=(",", ":"))
        with self._lock:
            self._records.write(line + "\n")
            self._records.flush()

    def say(self, text: str) -> None:
        """Write one line for people."""
        with self._lock:
            self._people.write(text + "\n")
            self._people.flush()

    def failed(self, klass: str, message: str, channel: int = -1, at_s: float = 0.0) -> None:
        """Say why this role cannot go on, and since when."""
        self.say(f"[ERROR] {klass}: {message}")
        self.record(
            RoleFailed(
                node=self.node,
                role=self.role,
                klass=klass,
                message=message,
                channel=channel,
                at_s=at_s or time.monotonic(),
            )
        )

    def live(self, done_bytes: Callable[[], int], of_bytes: int) -> None:
        """Start giving signs of life until the process ends."""

        def speak() -> None:
            while True:
                self.record(
                    Progress(node=self.node, role=self.role, bytes=done_bytes(), of_bytes=of_bytes)
                )
                time.sleep(SIGN_OF_LIFE_S)

        threading.Thread(target=speak, name="sign-of-life", daemon=True).start()
