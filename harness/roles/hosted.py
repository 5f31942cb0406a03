"""A role that is somebody else's program: it is started here, heard here, and watched from here.

The host tells the program its part, passes its lines on for people, has them read into records, and
looks at its sockets in the kernel. It is ready when the program's own processes listen, whatever
they print. Its exit status is the program's, which outranks all text; an end by a signal is told as
a crash, one that does not come before the plan's deadline as a hang. Judging is done elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from harness.errors import CrashError, HangError
from harness.evidence import ProgramStarted, Record, RoleReady
from harness.facts.environment import is_transports
from harness.nic.addresses import address_of
from harness.plan import Assignment
from harness.programs import Command, Part, command_line, named
from harness.programs.places import find
from harness.roles.children import Children
from harness.roles.sightings import Sightings
from harness.roles.voice import Voice
from harness.tcpx import bootstrap

LOOK_S = 0.05
YOUNG_S = 2.0  # so long it is looked at more often: a short one's sockets must be caught alive
YOUNG_LOOK_S = 0.01
CLOSED_S = 1.0  # for the sockets of a program that has ended to be closed by the kernel
READY_S = 12.0  # a little less than the controller waits
FILE_BYTES = 16 << 20
EAGER = -10  # as nice(1) counts


def run(assignment: Assignment, voice: Voice) -> int:
    """One program's life; returns its exit status."""
    with tempfile.TemporaryDirectory(prefix="tcpx-harness-") as folder:
        return Hosted(assignment, voice, folder).run()


class Hosted:
    """The program of one role."""

    def __init__(self, assignment: Assignment, voice: Voice, folder: str) -> None:
        self.assignment, self.voice = assignment, voice
        self.program = named(assignment.plan.program)
        self.part = Part(
            plan=assignment.plan,
            role=assignment.role,
            place=find(assignment.plan.program, os.environ),
            nics=assignment.nics,
            addresses=tuple(map(address_of, assignment.nics)),
            management=assignment.management,
            peer=assignment.peer,
            peers=assignment.peers,
            folder=folder,
            environment={n: v for n, v in os.environ.items() if is_transports(n)},
        )
        self.due = self.program.due(assignment.plan, assignment.role)
        self._ports = frozenset(self.program.listens(assignment.plan))
        self._deadline_s = time.monotonic() + assignment.plan.deadline_s
        self._reader = self.program.reader(self.part)
        self._sightings = Sightings(assignment.nics)
        self._children = Children(self._heard)
        self._ready_s = self._looked_s = 0.0
        self._last = "nothing"  # that it said

    def run(self) -> int:
        commands = self.program.commands(self.part)
        self._say_started(commands)
        if self.assignment.role == "server" and not commands:
            return self._attend()
        with contextlib.ExitStack() as stack:
            stack.callback(self._children.end)
            if self.assignment.role == "client":
                self._ready()
                if not self._ports:  # the server's role attends us
                    stack.enter_context(self._attendant())
            self._children.start(commands, self.part.folder)
            _go_first()
            if self.assignment.role == "server":
                self._until_listening()
            self._until(lambda: self._children.silent, self._deadline_s, "end")
            status = self._status()
        self._say_files()
        self._say_sockets()
        return status

    # -- while it runs

    def _until_listening(self) -> None:
        """Ready is who listens; a program that ended before will tell why by its status."""

        def listens() -> bool:
            return self._ports <= self._sightings.listening or self._children.silent

        until_s = min(self._deadline_s, time.monotonic() + READY_S)
        self._until(listens, until_s, f"listen on all of {sorted(self._ports)}")
        if self._ports <= self._sightings.listening:
            self._ready()

    def _ready(self) -> None:
        mine = self.assignment
        self._ready_s = time.monotonic()
        self.voice.record(
            RoleReady(
                node=mine.node,
                role=mine.role,
                nonce=mine.nonce,
                pid=os.getpid(),
                address=address_of(mine.management),
                port=mine.plan.port,
                addresses=self.part.addresses,
            )
        )
        self.voice.live(lambda: self._sightings.moved_bytes(mine.role), self.due.bytes)

    def _until(self, done: Callable[[], bool], until_s: float, what: str) -> None:
        """Hear and look until `done()`; HangError when that takes too long."""
        while not done():
            now_s = time.monotonic()
            if now_s > until_s:
                raise HangError(
                    f"{self.program.name} did not {what} in time; it last said {self._last!r}"
                )
            every_s = YOUNG_LOOK_S if now_s - self._ready_s < YOUNG_S else LOOK_S
            self._children.hear(every_s)
            if now_s - self._looked_s >= every_s:
                self._sightings.look(self._children.pids)
                self._looked_s = now_s

    def _heard(self, text: str, process: int) -> None:
        self._last = text.strip() or self._last
        self.voice.say(text)
        self._say(self._reader.heard(text, process))

    # -- its end

    def _status(self) -> int:
        try:
            return self._children.status(self._left_s)
        except CrashError:
            self._say_sockets()
            raise
        finally:
            for number in self._children.numbers:
                self._say(self._reader.ended(number))

    def _say_started(self, commands: tuple[Command, ...]) -> None:
        self.voice.record(
            ProgramStarted(
                node=self.assignment.node,
                role=self.assignment.role,
                program=self.program.name,
                place=self.part.place,
                commands=tuple(map(command_line, commands)),
                environment={k: v for c in commands for k, v in c.environment.items()},
                due_bytes=self.due.bytes,
                processes=self.due.processes,
                iterations=self.due.iterations,
                success=self.due.success,
            )
        )

    def _say_files(self) -> None:
        """The files that it left in its folder; nobody else's can be there."""
        for file in sorted(Path(self.part.folder).rglob("*")):
            if file.is_file():
                with file.open("rb") as opened:
                    text = opened.read(FILE_BYTES).decode("utf-8", "backslashreplace")
                for line in text.splitlines():
                    self.voice.say(f"{file.name}: {line}")
                self._say(self._reader.file(file.name, text))

    def _say_sockets(self) -> None:
        """Once the kernel has closed them all, or is late with it."""
        until_s = time.monotonic() + CLOSED_S
        self._sightings.look([])
        while self._sightings.has_open and time.monotonic() < until_s:
            time.sleep(YOUNG_LOOK_S)
            self._sightings.look([])
        self.voice.record(self._sightings.told(self.assignment.node, self.assignment.role))
        self._sightings.close()

    def _say(self, records: Iterable[Record]) -> None:
        """Records of a reader, signed."""
        for record in records:
            signed = {"node": self.assignment.node, "role": self.assignment.role}
            self.voice.record(replace(record, **signed))

    # -- what a client's command starts on the server's node

    def _attend(self) -> int:
        """Look on while the client's command runs; it holds a connection to us meanwhile."""
        mine = self.assignment
        with bootstrap.server_listen(address_of(mine.management), mine.plan.port) as listener:
            self._ready()
            connection = bootstrap.server_accept(listener, self._left_s)
        with connection:
            while connection.spoken() is None:
                if not self._left_s:
                    raise HangError(f"{self.program.name} did not end on the client in time")
                self._sightings.look([])
                time.sleep(LOOK_S)
        self._say_sockets()
        return 0

    def _attendant(self) -> bootstrap.Connection:
        mine = self.assignment
        return bootstrap.client_connect(mine.peer, mine.port, self._left_s)

    @property
    def _left_s(self) -> float:
        return max(self._deadline_s - time.monotonic(), 0.0)


def _go_first() -> None:
    """Where we may, ahead of the program: it must not starve who has to see its sockets alive."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, EAGER)
