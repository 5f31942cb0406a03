"""Another writer's line stays whole while lines come and go below it."""

from __future__ import annotations

import pytest

from harness.live import Under
from suites.unit.live.screen import Screen, terminal_on


class Writer:
    """Writes words one after the other, as pytest does, and makes room before each."""

    def __init__(self, screen: Screen, under: Under | None = None) -> None:
        self.screen, self.under, self.column = screen, under, 0

    def write(self, text: str) -> None:
        if self.under:
            self.under.clear()
        self.screen.write(text)
        last = text.rpartition("\n")[2]
        self.column = len(last) if "\n" in text else self.column + len(text)


WORDS = ["test_a.py ", ".", ".", "F", " [ 50%]\n", "test_b.py ", ".", ".\n", "3 passed\n"]


@pytest.mark.parametrize("rows", [24, 6])
@pytest.mark.parametrize("before", [0, 30])
def test_the_other_writers_text_is_what_it_would_be_alone(rows: int, before: int) -> None:
    alone, shared = Screen(rows=rows), Screen(rows=rows)
    with terminal_on(shared) as terminal:
        writer = Writer(shared)
        writer.under = Under(terminal, lambda: writer.column)
        for screen in (alone, shared):
            screen.write("earlier\n" * before)
        for number, word in enumerate(WORDS):
            alone.write(word)
            writer.write(word)
            writer.under.draw([f"gw0 {number}"] * (number % 5))
        writer.under.clear()
    assert shared.text == alone.text


def test_without_making_room_it_would_be_seen() -> None:
    shared = Screen()
    with terminal_on(shared) as terminal:
        writer = Writer(shared)
        under = Under(terminal, lambda: writer.column)
        for word in WORDS:
            writer.write(word)
            under.draw(["gw0"])
    assert shared.text != ["test_a.py ..F [ 50%]", "test_b.py ..", "3 passed", ""]


def test_it_takes_half_of_the_screen_at_most() -> None:
    screen = Screen(rows=8)
    with terminal_on(screen) as terminal:
        Under(terminal, lambda: 0).draw([f"line {n}" for n in range(50)])
    assert screen.text == ["", "line 0", "line 1", "line 2", "line 3"]


def test_where_the_cursor_cannot_be_named_nothing_is_drawn() -> None:
    screen = Screen(columns=20)
    with terminal_on(screen) as terminal:
        screen.write("x" * 20)
        Under(terminal, lambda: 20).draw(["line"])
    assert screen.text == ["x" * 20]
