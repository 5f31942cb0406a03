"""A terminal's last lines, redrawn in place. Plain ANSI: up, clear, write, all in one write.

Each line is clipped to the terminal's width, so that the number of rows to go up is known, and
there are never more of them than fit. Colour marks only what is bad, and not where NO_COLOR is set.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence

RED, PLAIN = "\x1b[31m", "\x1b[0m"
CLEAR = "\x1b[J"  # from the cursor to the end of the screen
BAD = ("silent: ", "FAIL", "ERROR", "INCONCLUSIVE", "died")
LEAST = 20  # columns; less than that cannot be read anyway


class Terminal:
    """The block of lines below whatever else was written to `fd`."""

    def __init__(
        self,
        fd: int,
        *,
        environ: Mapping[str, str] = os.environ,
        size: Callable[[int], os.terminal_size] = os.get_terminal_size,
    ) -> None:
        self._fd, self._size = fd, size
        self._colour = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        self._drawn: list[str] = []

    def draw(self, lines: Sequence[str]) -> None:
        """Show these in the place of those before."""
        columns, rows = self.size()
        fitting = [clip(line, columns - 1) for line in lines[: rows - 1]]
        if fitting != self._drawn:
            painted = "".join(f"{self.paint(line)}\n" for line in fitting)
            self.write(self._up(columns) + CLEAR + painted)
            self._drawn = fitting

    def say(self, lines: Sequence[str]) -> None:
        """Lines that stay: written where the block was, which moves below them."""
        if lines:
            up = self._up(self.size()[0])
            self._drawn = []
            painted = "".join(f"{self.paint(printable(line))}\n" for line in lines)
            self.write(up + CLEAR + painted)

    def size(self) -> tuple[int, int]:
        """Columns and rows, as they are now."""
        with contextlib.suppress(OSError):
            size = self._size(self._fd)
            if size.columns and size.lines:
                return max(size.columns, LEAST), max(size.lines, 2)
        return 80, 24

    def paint(self, line: str) -> str:
        return f"{RED}{line}{PLAIN}" if self._colour and is_bad(line) else line

    def write(self, text: str) -> None:
        data = text.encode(errors="replace")
        while data:
            data = data[os.write(self._fd, data) :]

    def _up(self, columns: int) -> str:
        """To the block's first line, also when the terminal was made narrower since."""
        rows = sum(max(-(-len(line) // columns), 1) for line in self._drawn)
        return f"\r\x1b[{rows}A" if rows else "\r"


def is_bad(line: str) -> bool:
    return line.strip().startswith(BAD) or "  FAIL" in line or "  ERROR" in line


def printable(line: str) -> str:
    """One line, that moves no cursor: what nodes say may hold anything."""
    return "".join(char if char.isprintable() else "?" for char in line)


def clip(line: str, columns: int) -> str:
    """Printable, and not wider than that; what was cut ends in dots."""
    shown = printable(line)
    return shown if len(shown) <= columns else f"{shown[: columns - 3]}..."
