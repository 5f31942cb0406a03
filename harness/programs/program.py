"""What a program is to us: where it may be, its commands, what is due of it, and its lines.

A program's file is pure: it is told its part and answers with words; the role that hosts it
(roles/hosted.py) starts processes and looks at sockets. A reader turns lines into records that name
neither node nor role, which its host adds. It never judges, and it converts units where they are
printed wrongly: a rate is 1e9 bytes a second, a time is seconds.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from harness.evidence import ProgramSaid, Record
from harness.plan import Plan

GIB_GB = 1024**3 / 1e9  # what is printed as GB/s and counted in GiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One role's part of an exchange, as its program needs to know it."""

    plan: Plan
    role: str  # server | client
    place: str = ""  # of the binary on this node
    nics: tuple[str, ...] = ()  # this node's data NICs in channel order
    addresses: tuple[str, ...] = ()  # and theirs
    management: str = ""
    peer: str = ""  # the server's management address, for a client
    peers: tuple[str, ...] = ()  # the addresses of the server's data NICs, for a client
    folder: str = "."  # an empty folder of this exchange's own
    environment: Mapping[str, str] = field(default_factory=dict)  # this node's, of the transport

    def channel_nics(self) -> list[tuple[int, str, str]]:
        """Each channel with its NIC and that NIC's address."""
        nics = len(self.nics)
        channels = range(self.plan.channels)
        return [(c, self.nics[c % nics], self.addresses[c % nics]) for c in channels]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One process to start. `defaults` yield to the node's own environment."""

    words: tuple[str, ...]
    process: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""  # to start it in; '' = the exchange's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What a role's processes owe: see ProgramStarted."""

    bytes: int = 0
    processes: tuple[int, ...] = ()
    iterations: int = 0
    success: str = ""


class Reader(Protocol):
    """The lines of one role's processes."""

    def heard(self, text: str, process: int) -> list[Record]:
        """A line of either output."""
        ...

    def ended(self, process: int) -> list[Record]:
        """The process has said all."""
        ...

    def file(self, name: str, text: str) -> list[Record]:
        """A file that the program left in its folder."""
        ...


class Program(Protocol):
    """One program; `name` is its binary's, `settles` the claims that its evidence can settle."""

    name: str
    install: str  # one sentence: how to get it
    settles: tuple[str, ...]

    def places(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        """Where to look for its binary, in this order; a bare name is looked for in PATH."""
        ...

    def commands(self, part: Part) -> tuple[Command, ...]:
        """What this role starts; nothing if it only attends what its peer starts here."""
        ...

    def listens(self, plan: Plan) -> tuple[int, ...]:
        """The ports on which the server's processes listen when they are ready."""
        ...

    def due(self, plan: Plan, role: str) -> Due: ...

    def reader(self, part: Part) -> Reader: ...


def said(
    what: str,
    value: float,
    line: str,
    *,
    process: int = 0,
    iteration: int = -1,
    channel: int = -1,
) -> ProgramSaid:
    """A figure that its host will sign with node and role."""
    return ProgramSaid(
        node="",
        role="",
        what=what,
        value=value,
        line=line.strip(),
        process=process,
        iteration=iteration,
        channel=channel,
    )


def command_line(command: Command) -> str:
    """As one would type it."""
    return shlex.join(command.words)


def words(*parts: object, more: Sequence[str] = ()) -> tuple[str, ...]:
    """A command's words, with a plan's arguments at the end."""
    return (*(str(part) for part in parts), *more)
