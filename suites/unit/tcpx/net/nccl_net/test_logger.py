"""Log lines arrive formatted, with level and subsystem, whatever arguments they were given."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from typing import Any

import pytest

from harness.tcpx.net.nccl_net import logger
from harness.tcpx.net.nccl_net.abi import FLOATING, WHOLE
from harness.tcpx.net.nccl_net.logger import Said

WARN, NET = 2, 16


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def said(pipe: tuple[int, int], pattern: bytes, *whole: int, floating: float = 0.0) -> Said:
    """What is read of one line that the plugin logs."""
    log = logger.callback(pipe[1])
    given = [*whole, *[0] * (WHOLE - len(whole)), floating, *[0.0] * (FLOATING - 1)]
    kept = ctypes.create_string_buffer(pattern)
    log(WARN, NET, b"int tcpxListen(int)", 7, ctypes.addressof(kept), *given)
    return logger.parse(os.read(pipe[0], 4096).decode().removesuffix("\n"))


def test_a_line_has_level_subsystem_function_and_text(pipe: tuple[int, int]) -> None:
    assert said(pipe, b"unable to allocate requests") == Said(
        text="unable to allocate requests",
        level="WARN",
        subsystem="NET",
        function="int tcpxListen(int):7",
    )


def test_arguments_are_formatted_as_c_does(pipe: tuple[int, int]) -> None:
    word = ctypes.create_string_buffer(b"eth1")
    values = (ctypes.addressof(word), 2**64 - 1, 3, 255)
    found = said(pipe, b"%s: %ld of %d, %#lx in %.2f us", *values, floating=0.5)
    assert found.text == "eth1: -1 of 3, 0xff in 0.50 us"


def test_more_arguments_than_are_taken_along_are_left_as_they_are(pipe: tuple[int, int]) -> None:
    pattern = b"%d" * (WHOLE + 1)
    assert said(pipe, pattern).text == pattern.decode()


def test_a_line_is_one_line_and_of_bounded_length(pipe: tuple[int, int]) -> None:
    assert said(pipe, b"one\ntwo").text == "one two"
    assert len(said(pipe, b"x" * 9999).text) < 9999


def test_nobody_who_reads_is_no_reason_to_die() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    log: Any = logger.callback(writer)
    log(WARN, NET, None, 7, 0, *[0] * WHOLE, *[0.0] * FLOATING)
    os.close(writer)


@pytest.mark.parametrize("line", ["free(): double free", "", "a\tb\tc\td"])
def test_what_others_write_is_text_without_a_level(line: str) -> None:
    assert logger.parse(line) == Said(text=line)
    assert str(logger.parse(line)) == line


@pytest.mark.parametrize(
    ("level", "mask", "words"),
    [(3, 1, "INFO INIT"), (5, 17, "TRACE INIT|NET"), (9, 0, "9 0")],
)
def test_levels_and_subsystems_are_named(level: int, mask: int, words: str) -> None:
    assert f"{logger._level(level)} {logger._subsystem(mask)}" == words
