"""A block of lines is redrawn in place, on any width, and what stays is above it."""

from __future__ import annotations

import os

import pytest

from harness.live import Terminal
from harness.live.terminal import clip, is_bad
from suites.unit.live.screen import Screen, terminal_on


def test_a_block_replaces_the_one_before() -> None:
    screen = Screen()
    with terminal_on(screen) as terminal:
        terminal.draw(["one", "two", "three"])
        terminal.draw(["four"])
    assert screen.text == ["four", ""]


def test_what_is_said_moves_no_cursor() -> None:
    screen = Screen()
    with terminal_on(screen) as terminal:
        terminal.say(["red\x1b[2J\rgreen"])
    assert screen.text == ["red?[2J?green", ""]


def test_what_is_said_stays_above_the_block() -> None:
    screen = Screen()
    with terminal_on(screen) as terminal:
        terminal.draw(["one", "two"])
        terminal.say(["red"])
        terminal.draw(["one", "two"])
        terminal.draw([])
    assert screen.text == ["red", ""]


def test_at_the_bottom_of_the_screen_the_block_scrolls_and_is_still_replaced() -> None:
    screen = Screen(rows=6)
    screen.write("before\n" * 20)
    with terminal_on(screen) as terminal:
        for number in range(5):
            terminal.draw([f"a{number}", f"b{number}", f"c{number}"])
    assert screen.text == [*["before"] * 20, "a4", "b4", "c4", ""]


def test_a_narrow_terminal_gets_clipped_lines_and_never_more_than_fit() -> None:
    screen = Screen(columns=24, rows=4)
    with terminal_on(screen) as terminal:
        for _ in range(3):
            terminal.draw(["x" * 100] * 10)
    assert screen.text == ["x" * 20 + "..."] * 3 + [""]


def test_a_terminal_made_narrower_is_redrawn_from_the_blocks_first_row() -> None:
    wide = Screen(columns=80)
    with terminal_on(wide) as terminal:
        terminal.draw(["y" * 60])
        wide.lines[:] = ["y" * 40, "y" * 20, ""]  # as the terminal breaks it
        wide.columns, wide.row = 40, 2
        terminal.draw(["new"])
    assert wide.text == ["new", ""]


def test_the_same_block_is_not_written_again() -> None:
    said: list[str] = []
    terminal = Terminal(-1, environ={}, size=lambda _: os.terminal_size((80, 24)))
    terminal.write = said.append  # type: ignore[method-assign]
    terminal.draw(["one"])
    terminal.draw(["one"])
    assert len(said) == 1


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_means_none(environ: dict[str, str]) -> None:
    assert "\x1b[31m" in Terminal(-1, environ={}).paint("FAIL test")
    assert "\x1b" not in Terminal(-1, environ=environ).paint("FAIL test")
    assert "\x1b" not in Terminal(-1, environ={}).paint("moves data")


def test_what_a_node_says_cannot_move_the_cursor() -> None:
    assert clip("a\x1b[2Jb\rc\n", 80) == "a?[2Jb?c?"


def test_what_is_bad_is_marked() -> None:
    bad = ["    silent: client on node-b, 2.0 s", "FAIL x", "  gw0-1  node-b to node-a  FAIL"]
    assert all(map(is_bad, bad))
    assert not any(map(is_bad, ["  gw0-1  node-b to node-a  PASS", "test_failures.py::test_x"]))


def test_a_size_that_nobody_knows_is_eighty_by_twenty_four() -> None:
    def unknown(fd: int) -> os.terminal_size:
        raise OSError("not a terminal")

    assert Terminal(-1, environ={}, size=unknown).size() == (80, 24)
    assert Terminal(-1, environ={}, size=lambda _: os.terminal_size((0, 0))).size() == (80, 24)
