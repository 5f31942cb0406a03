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
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, Protocol

from harness.errors import CrashError, HarnessError, PeerGoneError, StallError
from harness.plan import MIB, Plan

BYTES_A_MEMBER = 32 * MIB  # less is not worth a process
GRACE_S = 0.5  # for others to fail of the same cause, when one has failed
_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl  # found before the fork, after which little is safe
STRIKES = ("hang", "die")  # faults at which the role strikes itself, so it has to be one process


def size_of(plan: Plan) -> int:
    """How many members move this plan's chunks; dealt ones have one dealer, in one process, and a
    plugin's process has one role."""
    if (
        plan.is_dealt
        or plan.transport != "sockets"
        or any(fault.kind in STRIKES for fault in plan.faults)
    ):
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


@dataclass(frozen=True, slots=True)
class _Here:
    """A member is at the turn, or (`done`) at its end, and has spent so much CPU time."""

    cpu_s: float
    done: bool = False


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
        self._idle_cpu_s = time.process_time()

    def tell(self, thing: Any) -> None:
        with self._lock:
            self._role.send(thing)

    def turn(self) -> None:
        self.here()
        self._role.recv()

    def here(self, *, done: bool = False) -> None:
        self.tell(_Here(time.process_time() - self._idle_cpu_s, done))


@dataclass(slots=True)
class _Known:
    """What the role knows of a forked member."""

    pid: int
    channels: range
    heard_s: float = field(default_factory=time.monotonic)
    cpu_s: float = 0.0
    at_turn: bool = False
    ended: bool = False  # and waited for

    def silence(self) -> StallError:
        """It said nothing until the deadline, not even that it cannot go on."""
        error = StallError(
            f"process {self.pid} of {_named(self.channels)} is silent", channel=self.channels[0]
        )
        error.since_s = self.heard_s
        return error

    def crash(self) -> CrashError:
        """It ended without a word."""
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.ended = True
        how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"ended with {status}"
        return CrashError(
            f"process {self.pid} of {_named(self.channels)} was {how}", channel=self.channels[0]
        )


class Crew:
    """Runs `work` in `size` members. `heard` gets what they tell, `turn` is the role's part of one;
    `left_s` is what is left of the deadline."""

    def __init__(
        self,
        size: int,
        channels: int,
        work: Work,
        *,
        heard: Callable[[Any], None],
        turn: Callable[[], None],
        left_s: Callable[[], float],
    ) -> None:
        self._size, self._channels = size, channels
        self._work, self.heard, self.turn, self._left_s = work, heard, turn, left_s
        self._members: dict[Connection, _Known] = {}
        self._idle_cpu_s = time.process_time()

    @property
    def own_cpu_s(self) -> float:
        """CPU time of the role's own process since the start, beside its members'."""
        return time.process_time() - self._idle_cpu_s if self._size > 1 else 0.0

    @property
    def cpu_s(self) -> float:
        """CPU time of the role and of its members as far as they have told, since the start."""
        told_s = sum(member.cpu_s for member in self._members.values())
        return time.process_time() - self._idle_cpu_s + told_s

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
            self._members[role] = _Known(pid, channels)
            return
        try:
            for other in (role, *self._members):
                other.close()
            _report(self._work, _Forked(channels, member), parent)
        finally:
            os._exit(0)

    def _listen(self) -> None:
        busy = set(self._members)
        while busy:
            ready = wait(list(busy), self._left_s() + GRACE_S)
            if not ready:
                raise _cause(self._silences(busy))
            for member in ready:
                assert isinstance(member, Connection)
                self._hear(member, busy)

    def _hear(self, member: Connection, busy: set[Connection]) -> None:
        said = self._said(member)
        if isinstance(said, _Failed):
            raise _cause([said.error, *self._other_failures(busy - {member})])
        if not isinstance(said, _Here):
            self.heard(said)
            return
        known = self._members[member]
        known.cpu_s, known.at_turn = said.cpu_s, not said.done
        if said.done:
            busy.remove(member)
        elif all(known.at_turn for known in self._members.values()):
            self._take_turn()

    def _take_turn(self) -> None:
        self.turn()
        for member, known in self._members.items():
            known.at_turn = False
            with suppress(OSError):  # who has ended meanwhile is heard of next
                member.send(None)

    def _other_failures(self, others: set[Connection]) -> Sequence[Exception]:
        """What the other members fail of in the next moment; they are heard out meanwhile."""
        failures = []
        until_s = time.monotonic() + GRACE_S
        while others and (left_s := until_s - time.monotonic()) > 0:
            for member in wait(list(others), left_s):
                assert isinstance(member, Connection)
                said = self._said(member)
                if isinstance(said, _Failed):
                    failures.append(said.error)
                if isinstance(said, _Failed | _Here):
                    others.discard(member)
                else:
                    self.heard(said)
        overdue = self._left_s() <= GRACE_S  # else the others have time, and nothing to explain
        return [*failures, *(self._silences(others) if overdue else ())]

    def _silences(self, members: set[Connection]) -> list[StallError]:
        """Of those that should have said something; who waits at the turn has."""
        known = [self._members[member] for member in members]
        return [one.silence() for one in known if not one.at_turn]

    def _said(self, member: Connection) -> Any:
        known = self._members[member]
        known.heard_s = time.monotonic()
        try:
            return member.recv()
        except (EOFError, OSError):
            return _Failed(known.crash())

    def _end(self) -> None:
        """No member outlives the crew."""
        for member, known in self._members.items():
            member.close()
            if not known.ended:
                os.kill(known.pid, signal.SIGKILL)
                os.waitpid(known.pid, 0)
                known.ended = True


def _report(work: Work, member: _Forked, parent: int) -> None:
    """Do a member's work and say how it ended, whatever it is."""
    try:
        _die_with(parent)
        # Nobody's wake-up takes the core from a member in the middle of a chunk. Not everybody may.
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        work(member)
        member.here(done=True)
    except BaseException as error:  # noqa: BLE001 - the process's edge: whatever it is must be told
        member.tell(_Failed(_tellable(error)))


def _tellable(error: BaseException) -> Exception:
    """The error, if it is one of ours that survives the way; else its trace."""
    if isinstance(error, HarnessError):
        with suppress(pickle.PicklingError, TypeError, AttributeError):
            pickle.dumps(error)
            return error
    return RuntimeError(traceback.format_exc())


def _cause(failures: Sequence[Exception]) -> Exception:
    """A lost peer is the echo of something; among stalls, whoever fell silent first."""
    return min(
        failures,
        key=lambda error: (isinstance(error, PeerGoneError), getattr(error, "since_s", 0.0)),
    )


def _named(channels: range) -> str:
    return f"channel{'s'[: len(channels) > 1]} {', '.join(map(str, channels))}"


def _die_with(parent: int) -> None:
    """SIGKILL for this process when its parent is gone, which it may be already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
