"""The live view on a terminal: a block that is redrawn, and red tests above it, which stay."""

from __future__ import annotations

from harness.evidence import TestFinished
from harness.live.lines import body, head, short
from harness.live.scene import Scene
from harness.live.terminal import Terminal


class Board:
    """Shows a scene on a terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._red = 0

    def show(self, scene: Scene, now_s: float) -> None:
        new = scene.red[self._red :]
        self._red = len(scene.red)
        self._terminal.say([ended(test) for test in new])
        self._terminal.draw([head(scene, now_s), *body(scene, now_s)])

    def close(self) -> None:
        """Leave nothing on the screen but what stays."""
        self._terminal.draw([])


def ended(test: TestFinished) -> str:
    """A red test in one line."""
    return f"{test.outcome} {short(test.test)}  {test.message or test.klass}"
