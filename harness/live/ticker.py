"""The live view where nothing can be redrawn: a line when an exchange begins, when it ends, and
every few seconds of those that last."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.live.act import Act
from harness.live.board import ended
from harness.live.lines import progress, rate, short, title
from harness.live.scene import Scene
from harness.live.terminal import printable

EVERY_S = 5.0


class Ticker:
    """Says what is new in a scene, line by line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._told_s: dict[str, float] = {}  # exchange -> when it was last spoken of
        self._over: set[str] = set()
        self._red = 0
        self._first = True

    def show(self, scene: Scene, now_s: float) -> None:
        """What ended before the first look is history: reports tell it."""
        for act in scene.acts.values():
            if self._first and act.ended_s:
                self._over.add(act.name)
            elif act.name not in self._over:
                self._tell(act, now_s)
        if not self._first:
            for test in scene.red[self._red :]:
                self._line(ended(test))
        self._red, self._first = len(scene.red), False

    def close(self) -> None:
        """Nothing to clear away."""

    def _tell(self, act: Act, now_s: float) -> None:
        if act.name not in self._told_s:
            self._line(f"{title(act)} ({short(act.planned.test)})")
            self._told_s[act.name] = now_s
        if act.ended_s and act.outcome is not None:
            self._line(f"{act.name}: {progress(act)} in {act.ended_s - act.began_s:.1f} s")
            self._over.add(act.name)
        elif now_s - self._told_s[act.name] >= EVERY_S and not act.ended_s:
            rates = [rate(act, node) for node in act.nodes]
            silent = [f"silent: {who}, {s:.1f} s" for who, s in act.silent(now_s).items()]
            self._line("  ".join(filter(None, [f"{act.name}: {progress(act)}", *rates, *silent])))
            self._told_s[act.name] = now_s

    def _line(self, text: str) -> None:
        self._say(f"{time.strftime('%H:%M:%S')} {printable(text)}")
