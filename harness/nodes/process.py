"""A process on the leash, and the two things that one hears of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import Any

from harness.errors import DeadlineError
from harness.evidence import RoleExited

TAKEN_S = 10.0  # for the reader of a bounded queue to take an event
KILL_S = 10.0  # for the leash to end a tree, and to say so


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a process; what the leash itself says of a stream comes as `err`."""

    process: str
    node: str
    stream: str  # out | err
    text: str
    at_s: float  # the controller's monotonic clock, when it arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class Exited:
    """The last event of a process."""

    process: str
    node: str
    record: RoleExited


Event = Line | Exited


class Process:
    """Something that runs on a node. What is sent to one that has ended is dropped: its Exited
    event says more than an error here could."""

    def __init__(
        self, name: str, node: str, events: Queue[Event], ask: Callable[..., dict[str, Any]]
    ) -> None:
        self.name, self.node, self.pid = name, node, 0
        self.cpus = ""  # that it may run on, as the kernel says
        self._events = events
        self._ask = ask
        self._ended: Future[RoleExited] = Future()

    def send(self, line: str) -> None:
        """Write one line to its stdin."""
        self._tell("send", data=f"{line}\n")

    def close_stdin(self) -> None:
        self._tell("close")

    def stop(self, *, grace_s: float = 1.0) -> RoleExited:
        """End its whole tree: politely, and after `grace_s` with SIGKILL."""
        self._tell("stop", grace_s=grace_s)
        try:
            return self._ended.result(grace_s + KILL_S)
        except TimeoutError as error:
            seen = f"{self.name} did not end within {grace_s + KILL_S:g} s of being stopped"
            raise DeadlineError(seen, where=self.node) from error

    def _tell(self, op: str, **fields: Any) -> None:
        if not self._ended.done():
            self._ask(op, name=self.name, **fields)

    # -- for the leash

    def heard(self, stream: str, text: str, at_s: float) -> None:
        line = Line(process=self.name, node=self.node, stream=stream, text=text, at_s=at_s)
        self._events.put(line, timeout=TAKEN_S)

    def ended(self, record: RoleExited) -> None:
        """The last word always fits: in a full queue it takes the oldest event's place."""
        event = Exited(process=self.name, node=self.node, record=record)
        while True:
            try:
                self._events.put_nowait(event)
                break
            except Full:
                try:
                    self._events.get_nowait()
                except Empty:
                    continue
        self._ended.set_result(record)
