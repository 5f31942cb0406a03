"""Lines below a line that somebody else is writing, such as pytest's dots.

The cursor always stands where the other writer left it: each drawing goes down, writes and comes
back up, which also holds when that scrolls the screen. Before the other one writes, the lines are
cleared away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.live.terminal import CLEAR, Terminal, clip

SHARE = 2  # at most every second row of the screen is ours


class Under:
    """A block of lines under the cursor's. `column` tells how much stands in that line."""

    def __init__(self, terminal: Terminal, column: Callable[[], int]) -> None:
        self._terminal, self._column = terminal, column
        self._drawn: tuple[int, list[str]] = (0, [])

    def draw(self, lines: Sequence[str]) -> None:
        columns, rows = self._terminal.size()
        written = self._column()
        if written and written % columns == 0:  # the cursor is in no column that can be named
            return
        fitting = [clip(line, columns - 1) for line in lines[: rows // SHARE]]
        if (written, fitting) == self._drawn:
            return
        below = "".join(f"\n{self._terminal.paint(line)}" for line in fitting)
        back = f"\x1b[{len(fitting)}A\x1b[{written % columns + 1}G" if fitting else ""
        self._terminal.write(CLEAR + below + back)
        self._drawn = written, fitting

    def clear(self) -> None:
        """Leave the screen to the other writer."""
        if self._drawn[1]:
            self._terminal.write(CLEAR)
        self._drawn = 0, []
