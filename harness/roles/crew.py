"""The crew: processes that share out a role's channels, so that channels share no interpreter.

Threads of one process take turns at the interpreter, and with four of them the turns cost as much
as the work. So the role connects and registers, then forks its crew: each member moves the chunks
of its own channels into the shared buffer and tells the role what it saw; the role alone speaks.
Members die with the role, whatever ends it. Where there is too little to share, the role is its
own only member, and nothing is forked.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, Protocol

from harness.errors import PeerGoneError, RoleError, StallError, TransportError
from harness.plan import MIB, Plan

BYTES_A_MEMBER = 32 * MIB  # less is not worth a process
GRACE_S = 0.5  # for others to fail of the same cause, when one has failed
_PR_SET_PDEATHSIG = 1
STRIKES = ("hang", "die")  # faults at which the role strikes itself, so it has to be one process


def size_of(plan: Plan) -> int:
    """How many members move this plan's chunks."""
    if any(fault.kind in STRIKES for fault in plan.faults):
        return 1
    cores = len(os.sched_getaffinity(0))
    worth = plan.total_bytes // BYTES_A_MEMBER
    return max(1, min(plan.channels, cores, worth))


class Member(Protocol):
    """What a member's work gets: its channels, and how to reach the role."""

    channels: range

    def tell(self, thing: Any) -> None:
        """Say something to the role; any thread may."""

    def turn(self) -> None:
        """Wait until every member is here and the role has done its part of the turn."""


Work = Callable[[Member], None]


class Alone:
    """The role itself as its only member."""

    def __init__(self, channels: int, crew: Crew) -> None:
        self.channels = range(channels)
        self._crew = crew
        self._lock = threading.Lock()

    def tell(self, thing: Any) -> None:
        with self._lock:
            self._crew.heard(thing)

    def turn(self) -> None:
        self._crew.turn()


class _Word(Enum):
    TURN = "every member waits for the role"
    GO = "the role has done its part"
    DONE = "this member has nothing more to do"


@dataclass(frozen=True, slots=True)
class _Failed:
    """A member's last word when it could not go on."""

    error: Exception


class _Forked:
    """A member in a process of its own, seen from inside."""

    def __init__(self, channels: range, role: Connection) -> None:
        self.channels = channels
        self._role = role
        self._lock = threading.Lock()

    def tell(self, thing: Any) -> None:
        with self._lock:
            self._role.send(thing)

    def turn(self) -> None:
        self.tell(_Word.TURN)
        self._role.recv()


class Crew:
    """Runs `work` in every member. `heard` gets what they tell, `turn` is the role's part of one;
    `left_s` is what is left of the deadline."""

    def __init__(
        self,
        plan: Plan,
        work: Work,
        *,
        heard: Callable[[Any], None],
        turn: Callable[[], None],
        left_s: Callable[[], float],
    ) -> None:
        self._channels, self._size = plan.channels, size_of(plan)
        self._work, self.heard, self.turn, self._left_s = work, heard, turn, left_s
        self._members: dict[Connection, int] = {}  # to its pid
        self._turning = 0

    def run(self) -> None:
        """Until every member is done; the cause if one cannot go on."""
        if self._size == 1:
            self._work(Alone(self._channels, self))
            return
        try:
            for first in range(self._size):
                self._fork(range(first, self._channels, self._size))
            self._listen()
        finally:
            self._end()

    def _fork(self, channels: range) -> None:
        role, member = Pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid:
            member.close()
            self._members[role] = pid
            return
        try:
            for other in (role, *self._members):
                other.close()
            _die_with(parent)
            # Nobody's wake-up takes the core from a member in the middle of a chunk.
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
            _report(self._work, _Forked(channels, member))
        finally:
            os._exit(0)

    def _listen(self) -> None:
        busy = set(self._members)
        while busy:
            ready = wait(list(busy), self._left_s() + GRACE_S)
            if not ready:
                raise StallError(f"{len(busy)} processes of the crew are silent")
            for member in ready:
                assert isinstance(member, Connection)
                self._hear(member, busy)

    def _hear(self, member: Connection, busy: set[Connection]) -> None:
        said = self._said(member)
        if said is _Word.DONE:
            busy.remove(member)
        elif said is _Word.TURN:
            self._one_more_at_the_turn()
        elif isinstance(said, _Failed):
            raise _cause([said.error, *self._other_failures(busy - {member})])
        else:
            self.heard(said)

    def _one_more_at_the_turn(self) -> None:
        self._turning += 1
        if self._turning == self._size:
            self._turning = 0
            self.turn()
            for member in self._members:
                member.send(_Word.GO)

    def _other_failures(self, others: set[Connection]) -> Sequence[Exception]:
        """What the other members fail of in the next moment; they are heard out meanwhile."""
        failures = []
        until_s = time.monotonic() + GRACE_S
        while others and (ready := wait(list(others), max(0.0, until_s - time.monotonic()))):
            for member in ready:
                assert isinstance(member, Connection)
                said = self._said(member)
                if isinstance(said, _Failed):
                    failures.append(said.error)
                if isinstance(said, _Word | _Failed):
                    others.discard(member)
                else:
                    self.heard(said)
        return failures

    def _said(self, member: Connection) -> Any:
        try:
            return member.recv()
        except (EOFError, OSError):
            return _Failed(RoleError("a process of the role's crew was killed"))

    def _end(self) -> None:
        """No member outlives the crew."""
        for member, pid in self._members.items():
            member.close()
            os.kill(pid, signal.SIGKILL)
        for pid in self._members.values():
            os.waitpid(pid, 0)
        self._members.clear()


def _report(work: Work, member: _Forked) -> None:
    """Do a member's work and say how it ended."""
    try:
        work(member)
        member.tell(_Word.DONE)
    except TransportError as error:
        member.tell(_Failed(error))
    except Exception:  # noqa: BLE001 - the process's edge: whatever it is must be told
        member.tell(_Failed(RuntimeError(traceback.format_exc())))


def _cause(failures: Sequence[Exception]) -> Exception:
    """A lost peer is the echo of something; among stalls, whoever fell silent first."""
    return min(
        failures,
        key=lambda error: (isinstance(error, PeerGoneError), getattr(error, "since_s", 0.0)),
    )


def _die_with(parent: int) -> None:
    """SIGKILL for this process when its parent is gone, which it may be already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
