"""The plugin's logger: a variadic C function, made of a ctypes callback and snprintf.

ctypes cannot read variable arguments, but it can take more arguments than it was given: what lies
in the registers and on the stack after the format is handed to snprintf as it came. A line crosses
to the role as `level TAB subsystem TAB function TAB text`.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from harness.tcpx.net.nccl_net.abi import LOGGER, WHOLE

LEVELS = ("NONE", "VERSION", "WARN", "INFO", "ABORT", "TRACE")
SUBSYSTEMS = (
    "INIT",
    "COLL",
    "P2P",
    "SHM",
    "NET",
    "GRAPH",
    "TUNING",
    "ENV",
    "ALLOC",
    "CALL",
    "PROXY",
    "NVLS",
)
TEXT_BYTES = 1024
LINE_BYTES = 2048  # less than a pipe takes in one piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One line of the plugin's process: by its logger, or (no level) by anybody on its stderr."""

    text: str
    level: str = ""
    subsystem: str = ""
    function: str = ""

    def __str__(self) -> str:
        return f"{self.level} {self.subsystem}: {self.text}" if self.level else self.text


def callback(fd: int) -> Any:
    """A logger for the plugin; must be kept for as long as the plugin lives."""
    libc = ctypes.CDLL(None)

    def log(level: int, mask: int, where: bytes, line: int, format_at: int, *values: Any) -> None:
        text = _formatted(libc, format_at, values)
        function = where.decode(errors="replace") if where else ""
        said = "\t".join((_level(level), _subsystem(mask), f"{function}:{line}", text))
        with suppress(OSError):  # nobody reads any more
            os.write(fd, said.replace("\n", " ").encode()[: LINE_BYTES - 1] + b"\n")

    return LOGGER(log)


def parse(line: str) -> Said:
    """What the role reads."""
    parts = line.split("\t", 3)
    if len(parts) < 4 or parts[0] not in LEVELS:
        return Said(text=line)
    level, subsystem, function, text = parts
    return Said(text=text, level=level, subsystem=subsystem, function=function)


def _formatted(libc: Any, format_at: int, values: tuple[Any, ...]) -> str:
    if not format_at:
        return ""
    pattern = ctypes.string_at(format_at)
    if pattern.count(b"%") > WHOLE:  # more than was taken along: nothing is better than a guess
        return pattern.decode(errors="replace")
    text = ctypes.create_string_buffer(TEXT_BYTES)
    whole = map(ctypes.c_uint64, values[:WHOLE])
    floating = map(ctypes.c_double, values[WHOLE:])
    libc.snprintf(text, ctypes.c_size_t(TEXT_BYTES), ctypes.c_void_p(format_at), *whole, *floating)
    return text.value.decode(errors="replace")


def _level(level: int) -> str:
    return LEVELS[level] if 0 <= level < len(LEVELS) else str(level)


def _subsystem(mask: int) -> str:
    names = [name for bit, name in enumerate(SUBSYSTEMS) if mask >> bit & 1]
    return "|".join(names) or str(mask)
