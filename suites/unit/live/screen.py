"""A terminal in memory: as much of one as the live view uses, with a screen that scrolls."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from harness.live import Terminal

ESCAPE = re.compile(r"\x1b\[(\d*)([A-Za-z])|(\n)|(\r)|([^\x1b\n\r]+)")


class Screen:
    """What stands where after some text was written, ONLCR included."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.columns, self.rows = columns, rows
        self.lines = [""]
        self.row = self.column = 0

    @property
    def text(self) -> list[str]:
        return [line.rstrip() for line in self.lines]

    def write(self, text: str) -> None:
        for number, command, newline, returned, plain in ESCAPE.findall(text):
            if newline:
                self._down()
            elif returned:
                self.column = 0
            elif plain:
                self._put(plain)
            elif command == "A":
                self.row -= int(number or 1)
                assert self.row >= max(len(self.lines) - self.rows, 0), "above the screen"
            elif command == "G":
                self.column = int(number) - 1
            elif command == "J":
                self.lines = self.lines[: self.row + 1]
                self.lines[-1] = self.lines[-1][: self.column]
            else:
                assert command == "m", f"unknown: {command}"

    def _down(self) -> None:
        self.row, self.column = self.row + 1, 0
        self.lines += [""] * (self.row + 1 - len(self.lines))

    def _put(self, plain: str) -> None:
        for char in plain:
            if self.column == self.columns:
                self._down()
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + char + line[self.column + 1 :]
            self.column += 1


@contextmanager
def terminal_on(screen: Screen, **environ: str) -> Iterator[Terminal]:
    """A Terminal whose words land on `screen`."""
    size = lambda _: os.terminal_size((screen.columns, screen.rows))  # noqa: E731
    made = Terminal(-1, environ=environ, size=size)
    made.write = screen.write  # type: ignore[method-assign]
    yield made
