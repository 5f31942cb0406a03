"""The two role processes of one exchange, from start to their last words.

One queue takes what both roles say and how they end, so that the order of events is the order in
which they reached us. The rules that end an exchange early live here: a failed role takes its peer
with it after PEER_S (last words are worth waiting for), a silent one is stopped after SILENCE_S.
"""

from __future__ import annotations

import contextlib
import json
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from harness.errors import EvidenceError, RoleError
from harness.evidence import (
    Note,
    Record,
    RoleExited,
    RoleFailed,
    RoleReady,
    RoleStarted,
    decode,
)
from harness.nodes import Event, Line, Node, Process
from harness.plan import Assignment
from harness.roles.pair.profile import Profile

READY_S = 15.0  # python3 and numpy start in 0.2 s; a drowned machine gets a chance
PEER_S = 1.0
SILENCE_S = 3.0  # twelve signs of life missed in a row
GRACE_S = 2.0  # beyond the plan's own deadline, for the role to say what it waited for
TICK_S = 0.05
MAX_EVENTS = 65536


@dataclass(slots=True)
class Part:
    """One role's process and when it was last heard."""

    role: str
    node: Node
    process: Process
    heard_s: float
    silence_s: float = SILENCE_S
    ready: RoleReady | None = None
    exited: RoleExited | None = None
    stopped: str = ""  # why we stopped it, '' when we did not


@dataclass(slots=True)
class Run:
    """Starts server and client, and listens until both have ended."""

    server: Node
    client: Node
    assignments: dict[str, Assignment]
    env: Callable[[Node], dict[str, str]]
    write: Callable[[Record], None]
    profile: Profile = field(default_factory=Profile)
    _events: queue.Queue[Event] = field(default_factory=lambda: queue.Queue(MAX_EVENTS))
    _parts: dict[str, Part] = field(default_factory=dict)
    _failed_s: float = 0.0  # when the first role failed
    _looked_s: float = 0.0  # when we last listened

    def listen(
        self, meanwhile: Callable[[], None], *, loading: Callable[[], None] = lambda: None
    ) -> None:
        """Run both roles to their ends; calls `meanwhile` every now and then.

        `loading` is called while the roles load their code and have not been told anything yet.
        """
        try:
            self._start("server", self.server)
            self._start("client", self.client)
            loading()
            self._assign("server", self.assignments["server"])
            if ready := self._until_ready(meanwhile):
                client = self.assignments["client"]
                client = client.towards(ready.address, ready.port, ready.addresses)
                self._assign("client", client)
            while self._running():
                self._turn(meanwhile)
        finally:
            self._stop_all()

    def _start(self, role: str, node: Node) -> None:
        assignment = self.assignments[role]
        bare = [node.spec.python, "-m", "harness.roles", role, "--assigned"]
        command = self.profile.around(node, f"{assignment.nonce}-{role}", bare)
        late_s = self.profile.ending_s(node.spec.name)
        process = node.leash().start(
            role,
            command,
            events=self._events,
            env=self.env(node),
            deadline_s=assignment.plan.deadline_s + READY_S + GRACE_S + late_s,
            cpus=node.spec.cpus_for(assignment.plan.gpu),
        )
        self._parts[role] = Part(role, node, process, time.monotonic(), SILENCE_S + late_s)
        self.write(
            RoleStarted(
                node=node.spec.name,
                role=role,
                pid=process.pid,
                command=tuple(command),
                cpus=process.cpus,
            )
        )

    def _assign(self, role: str, assignment: Assignment) -> None:
        """Tell a role what to do; until then it has only loaded its code, both at the same time."""
        self._parts[role].process.send(assignment.to_line())

    def _until_ready(self, meanwhile: Callable[[], None]) -> RoleReady | None:
        """The server's readiness, or None when it ended before."""
        server = self._parts["server"]
        deadline = time.monotonic() + READY_S
        while server.exited is None and not server.stopped and time.monotonic() < deadline:
            if server.ready is not None:
                return server.ready
            self._turn(meanwhile)
        for part in self._running():
            self._stop(part, "silence" if part is server else "stopped")
        return None

    def _running(self) -> list[Part]:
        return [part for part in self._parts.values() if part.exited is None]

    def _turn(self, meanwhile: Callable[[], None]) -> None:
        """Take what there is to hear, then look at the clock."""
        meanwhile()
        self._excuse(time.monotonic())
        try:
            self._take(self._events.get(timeout=TICK_S))
            while True:
                self._take(self._events.get_nowait())
        except queue.Empty:
            pass
        now = time.monotonic()
        for part in self._running():
            if self._failed_s and now - self._failed_s > PEER_S:
                self._stop(part, "stopped")
            elif part.ready is not None and now - part.heard_s > part.silence_s:
                self._stop(part, "silence")

    def _excuse(self, now_s: float) -> None:
        """If it was we who paused (a stopped or drowned controller), nobody was silent."""
        if now_s - self._looked_s > SILENCE_S / 3:
            for part in self._running():
                part.heard_s = now_s
        self._looked_s = now_s

    def _take(self, event: Event) -> None:
        part = self._parts[event.process]
        part.heard_s = time.monotonic()
        if isinstance(event, Line):
            self._hear(part, event)
            return
        ours = part.stopped and event.record.reason != "exited"
        part.exited = replace(event.record, reason=part.stopped) if ours else event.record
        self.write(part.exited)
        if part.exited.code != 0 and not self._failed_s:
            self._failed_s = time.monotonic()

    def _hear(self, part: Part, line: Line) -> None:
        if line.stream == "err":
            self.write(Note(text=line.text, node=line.node, role=part.role))
            return
        try:
            record = decode(json.loads(line.text))
        except (ValueError, EvidenceError):
            self.write(Note(text=line.text, node=line.node, role=part.role))
            return
        self.write(record)
        ours = self.assignments[part.role].nonce
        if isinstance(record, RoleReady) and record.nonce == ours:
            part.ready = record
        elif isinstance(record, (RoleReady, RoleFailed)):  # a stranger's readiness is a failure
            self._failed_s = self._failed_s or time.monotonic()

    def _stop(self, part: Part, why: str) -> None:
        if not part.stopped:
            part.stopped = why
            part.process.stop(grace_s=0.0)

    def _stop_all(self) -> None:
        """Nothing of ours may outlive the exchange; the leash confirms each end."""
        for part in self._running():
            self._stop(part, "stopped")
        deadline = time.monotonic() + PEER_S + GRACE_S
        while self._running() and time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                self._take(self._events.get(timeout=TICK_S))
        if left := self._running():
            raise RoleError(
                f"{[p.role for p in left]} did not end although stopped",
                where=left[0].node.spec.name,
            )
