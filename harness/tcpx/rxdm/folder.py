"""A folder whose owner may be killed: a role that is stopped gets no time to remove anything.

The owner holds a lock on it, which the kernel lets go with him. Whoever makes the next one removes
those that nobody holds, but none so young that its owner may not have come to lock it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

PREFIX = "rxdm-"
YOUNG_S = 60.0


class Folder:
    """One of this process and of those that it forks, until it is removed."""

    def __init__(self) -> None:
        _sweep(Path(tempfile.gettempdir()))
        self.path = tempfile.mkdtemp(prefix=PREFIX)
        self._held = _lock(self.path)

    def remove(self) -> None:
        """A second time does nothing."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._held >= 0:
            os.close(self._held)
            self._held = -1


def _lock(path: str | Path) -> int:
    """The descriptor that holds the folder; BlockingIOError when somebody else has one."""
    held = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise
    return held


def _sweep(room: Path) -> None:
    for left in room.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # held, another user's, or removed by somebody else
            if time.time() - left.stat().st_mtime > YOUNG_S:
                held = _lock(left)
                shutil.rmtree(left, ignore_errors=True)
                os.close(held)
