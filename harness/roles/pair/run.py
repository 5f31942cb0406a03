"""The two role processes of one exchange, from start to their last words.

One queue takes what all roles say and how they end, those of other exchanges too that run at the
same time, so that the order of events is the order in which they reached us. A Run waits for
nothing itself: `listen` hands it events and the time. The rules that end an exchange early live
here: a failed role takes its peer with it after PEER_S (last words are worth waiting for), a silent
one is stopped after SILENCE_S.
"""

from __future__ import annotations

import contextlib
import json
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from harness.errors import EvidenceError, HarnessError, RoleError
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
    """One role's process, by the name that the leash knows it by, and when it was last heard."""

    role: str
    name: str
    node: Node
    process: Process
    heard_s: float
    silence_s: float = SILENCE_S
    ready: RoleReady | None = None
    exited: RoleExited | None = None
    stopped: str = ""  # why we stopped it, '' when we did not


Events = queue.Queue[Event]


def events() -> Events:
    """What all runs that are listened to together share."""
    return queue.Queue(MAX_EVENTS)


@dataclass(slots=True)
class Run:
    """A server and a client; `label` tells their processes from others' on the same nodes."""

    server: Node
    client: Node
    assignments: dict[str, Assignment]
    env: Callable[[Node], dict[str, str]]
    write: Callable[[Record], None]
    profile: Profile = field(default_factory=Profile)
    label: str = ""
    heard: Events = field(default_factory=events)
    _parts: dict[str, Part] = field(default_factory=dict)  # by their processes' names
    _failed_s: float = 0.0  # when the first role failed
    _begun_s: float = 0.0  # when the server was told its part
    _looked_s: float = 0.0  # when we last looked

    def start(self) -> None:
        """Both roles load their code and have not been told anything yet."""
        self._start("server", self.server)
        self._start("client", self.client)

    def begin(self) -> None:
        """Tell the server its part; the client gets its own once the server is ready."""
        self._begun_s = time.monotonic()
        self._assign(self._part("server"), self.assignments["server"])

    @property
    def running(self) -> list[Part]:
        return [part for part in self._parts.values() if part.exited is None]

    def has(self, process: str) -> bool:
        return process in self._parts

    def _start(self, role: str, node: Node) -> None:
        assignment = self.assignments[role]
        bare = [node.spec.python, "-m", "harness.roles", role, "--assigned"]
        command = self.profile.around(node, f"{assignment.nonce}-{role}", bare)
        late_s = self.profile.ending_s(node.spec.name)
        name = role + self.label
        process = node.leash().start(
            name,
            command,
            events=self.heard,
            env=self.env(node),
            deadline_s=assignment.plan.deadline_s + READY_S + GRACE_S + late_s,
            cpus=node.spec.cpus_for(assignment.plan.gpu),
        )
        silence_s = SILENCE_S + late_s
        self._parts[name] = Part(role, name, node, process, time.monotonic(), silence_s)
        self.write(
            RoleStarted(
                node=node.spec.name,
                role=role,
                pid=process.pid,
                command=tuple(command),
                cpus=process.cpus,
            )
        )

    def _part(self, role: str) -> Part:
        return self._parts[role + self.label]

    def _assign(self, part: Part, assignment: Assignment) -> None:
        """Tell a role what to do; until then it has only loaded its code."""
        part.process.send(assignment.to_line())

    def look(self, now_s: float) -> None:
        """End what has gone on for too long."""
        self._excuse(now_s)
        for part in self.running:
            if self._failed_s and now_s - self._failed_s > PEER_S:
                self._end(part, "stopped")
            elif part.ready is not None and now_s - part.heard_s > part.silence_s:
                self._end(part, "silence")
        if self._never_ready(now_s):
            for part in self.running:
                self._end(part, "silence" if part.role == "server" else "stopped")

    def _never_ready(self, now_s: float) -> bool:
        server = self._part("server")
        over = server.exited is not None or bool(server.stopped)
        return server.ready is None and (over or now_s - self._begun_s > READY_S)

    def _excuse(self, now_s: float) -> None:
        """If it was we who paused (a stopped or drowned controller), nobody was silent."""
        if now_s - self._looked_s > SILENCE_S / 3:
            for part in self.running:
                part.heard_s = now_s
        self._looked_s = now_s

    def take(self, event: Event) -> None:
        part = self._parts[event.process]
        part.heard_s = time.monotonic()
        if isinstance(event, Line):
            self._hear(part, event)
            return
        ours = part.stopped and event.record.reason != "exited"
        reason = part.stopped if ours else event.record.reason
        part.exited = replace(event.record, role=part.role, reason=reason)
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
            self._ready(part, record)
        elif isinstance(record, (RoleReady, RoleFailed)):  # a stranger's readiness is a failure
            self._failed_s = self._failed_s or time.monotonic()

    def _ready(self, part: Part, ready: RoleReady) -> None:
        first, part.ready = part.ready is None, ready
        if first and part.role == "server":
            client = self.assignments["client"]
            client = client.towards(ready.address, ready.port, ready.addresses)
            self._assign(self._part("client"), client)

    def _end(self, part: Part, why: str) -> None:
        if not part.stopped:
            part.stopped = why
            part.process.stop(grace_s=0.0)

    def stop(self, lost: dict[str, HarnessError]) -> None:
        """Whatever state it is in; `listen` waits for the leash to confirm each end. Nodes that do
        not answer are added to `lost`, and asked no more; what runs on others must end."""
        for part in self.running:
            name = part.node.spec.name
            try:
                if name not in lost:
                    self._end(part, "stopped")
            except HarnessError as error:
                lost[name] = error


def listen(
    runs: Sequence[Run],
    heard: Events,
    meanwhile: Callable[[], None],
    *,
    loading: Callable[[], None] = lambda: None,
) -> None:
    """Run all roles of all runs to their ends; calls `meanwhile` every now and then, and `loading`
    once, while the roles load their code."""
    try:
        for run in runs:
            run.start()
        loading()
        for run in runs:
            run.begin()
        while any(run.running for run in runs):
            meanwhile()
            _turn(runs, heard)
            for run in runs:
                run.look(time.monotonic())
    finally:
        _stop_all(runs, heard)


def _turn(runs: Sequence[Run], heard: Events) -> None:
    """Take what there is to hear; of a process that the leash refused after all it is nobody's."""
    with contextlib.suppress(queue.Empty):
        event = heard.get(timeout=TICK_S)
        while True:
            for run in runs:
                if run.has(event.process):
                    run.take(event)
            event = heard.get_nowait()


def _stop_all(runs: Sequence[Run], heard: Events) -> None:
    """Nothing of ours may outlive the exchange; the leash confirms each end."""
    lost: dict[str, HarnessError] = {}  # by node
    for run in runs:
        run.stop(lost)
    for error in lost.values():
        raise error
    deadline = time.monotonic() + PEER_S + GRACE_S
    while any(run.running for run in runs) and time.monotonic() < deadline:
        _turn(runs, heard)
    if left := [part for run in runs for part in run.running]:
        raise RoleError(
            f"{[p.name for p in left]} did not end although stopped",
            where=left[0].node.spec.name,
        )
