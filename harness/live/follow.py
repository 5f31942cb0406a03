"""Following a run to its end: look at the journals, take what is new, show it, pause.

A run ends with its RunEnded. One whose main process has let go of its journal without that has
died; it is looked at twice, since between a process's start and its first lock lies a moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from harness.evidence import is_written
from harness.live.scene import Scene
from harness.live.tail import Tail

EVERY_S = 0.25
GONE_S = 2.0


class View(Protocol):
    """Whatever shows a scene."""

    def show(self, scene: Scene, now_s: float) -> None: ...

    def close(self) -> None: ...


def follow(
    folder: Path,
    view: View,
    *,
    clock: Callable[[], float] = time.time,
    pause: Callable[[float], object] = time.sleep,
) -> Scene:
    """Show the run in `folder` until it has ended or died; the scene as it was left."""
    tail, scene, written_s = Tail(folder), Scene(), clock()
    try:
        while True:
            alive = is_written(folder)  # before the look: what was written last is read
            scene.take(tail.look())
            now_s = clock()
            view.show(scene, now_s)
            written_s = now_s if alive else written_s
            if scene.exit_code is not None or now_s - written_s > GONE_S:
                return scene
            pause(EVERY_S)
    finally:
        view.close()
