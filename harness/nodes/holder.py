"""The controller's end of the leash: start processes, measure the clock, hold the lease."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from queue import Queue
from typing import Any

from harness.errors import LeaseError, NodeError, RoleError
from harness.evidence import ClockMeasured, LeaseTaken, RoleExited
from harness.inventory.cpus import cpu_set
from harness.nodes.process import Event, Process
from harness.nodes.ssh import Connection
from harness.nodes.wire import SILENCE_S, Message, Wire

CLOCK_ROUNDS = 8
LEASE_TRY_S = 0.1
KILLED = -9


class Leash:
    """All processes of this controller on one node hang on it. See leash.py for the node's end."""

    def __init__(self, connection: Connection, silence_s: float = SILENCE_S) -> None:
        self._spec = connection.spec
        self._lock = threading.Lock()
        self._processes: dict[str, Process] = {}
        self._wire = Wire(connection, self._hear, self._lose, silence_s)

    @property
    def lost(self) -> str:
        """Why it is lost; '' while it holds."""
        return self._wire.lost

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        events: Queue[Event],
        env: Mapping[str, str] | None = None,
        deadline_s: float,
        first_line: str = "",
        stream_bytes: int = 0,
        cpus: str = "",
    ) -> Process:
        """Start a program in the node's environment, with the inventory's and `env` on top.

        Of each of its streams at most `stream_bytes` are passed on (0: the leash's own limit).
        With `cpus` it runs on those and no others, or not at all.
        """
        process = Process(name, self._spec.name, events, self._ask)
        with self._lock:
            if name in self._processes:
                raise NodeError(f"{name} is already running", where=self._spec.name)
            self._processes[name] = process  # before it can say anything
        try:
            reply = self._ask(
                "start",
                name=name,
                argv=list(argv),
                env={**self._spec.environment, **(env or {})},
                deadline_s=deadline_s,
                first=f"{first_line}\n" if first_line else "",
                stream_bytes=stream_bytes,
                cpus=sorted(cpu_set(cpus)) if cpus else [],
            )
        except BaseException:
            self._processes.pop(name, None)
            raise
        process.pid, process.cpus = reply["pid"], reply["cpus"]
        if cpus and process.cpus:
            self._check_cpus(process, cpus)
        return process

    def _check_cpus(self, process: Process, wanted: str) -> None:
        """The kernel has the last word: it takes what exists of a wish, and says nothing."""
        if cpu_set(process.cpus) == cpu_set(wanted):
            return
        process.stop(grace_s=0.0)
        raise RoleError(
            f"{process.name} may run on CPUs {process.cpus}",
            expected=f"{wanted}, as the inventory says",
            where=self._spec.name,
            fix="See `lscpu` there, and correct cpus in the inventory",
        )

    def clock(self) -> ClockMeasured:
        """The fastest of several questions bounds the error best: half of its round trip."""
        best_s, offset_s, wall_offset_s = float("inf"), 0.0, 0.0
        for _ in range(CLOCK_ROUNDS):
            asked_s = time.monotonic()
            reply, heard_s = self._wire.ask("clock")
            if heard_s - asked_s < best_s:
                best_s = heard_s - asked_s
                offset_s = reply["monotonic_s"] - (asked_s + heard_s) / 2
                since_s = time.monotonic() - heard_s + best_s / 2  # that the node looked
                wall_offset_s = reply["wall_s"] + since_s - time.time()
        return ClockMeasured(
            node=self._spec.name,
            offset_s=offset_s,
            bound_s=best_s / 2,
            wall_offset_s=round(wall_offset_s, 6),
        )

    @contextlib.contextmanager
    def lease(self, owner: str, *, wait_s: float) -> Iterator[LeaseTaken]:
        """The node for ourselves. The leash holds the lock, so the kernel frees it on any death."""
        taken = self._take_lease(owner, wait_s)
        try:
            yield taken
        except BaseException:
            with contextlib.suppress(NodeError):
                self._ask("release")
            raise
        try:
            self._ask("release")
        except NodeError as error:
            raise LeaseError(f"the lease was lost: {error.seen}", where=self._spec.name) from error

    def close(self) -> None:
        """End every process, then the leash."""
        self._wire.close()

    def _take_lease(self, owner: str, wait_s: float) -> LeaseTaken:
        begun = time.monotonic()
        while (holder := self._ask("lease", owner=owner)["holder"]) is not None:
            if time.monotonic() - begun > wait_s:
                raise LeaseError(
                    f"the node is in other hands: {_holder(holder)}",
                    expected=f"a free node within {wait_s:g} s",
                    where=self._spec.name,
                    fix="Wait for that run, or end it",
                )
            time.sleep(LEASE_TRY_S)
        return LeaseTaken(node=self._spec.name, waited_s=round(time.monotonic() - begun, 3))

    def _ask(self, op: str, **fields: Any) -> Message:
        return self._wire.ask(op, **fields)[0]

    def _hear(self, message: Message, at_s: float) -> None:
        process = self._processes.get(message["name"])
        if process is None:
            return
        if message["ev"] == "lines":
            for text in message["text"]:
                process.heard(message["stream"], text, at_s)
        elif message["ev"] == "exit":
            self._processes.pop(process.name, None)
            process.ended(self._exited(message))

    def _exited(self, note: Message) -> RoleExited:
        return RoleExited(
            node=self._spec.name,
            role=note["name"],
            code=note["code"],
            reason=note["reason"],
            stderr_tail=note["stderr_tail"],
            cpu_s=note["cpu_s"],
            max_rss_bytes=note["max_rss_bytes"],
            at_s=note["at_s"],
        )

    def _lose(self, why: str) -> None:
        """Without the leash nothing lives: the kernel sees to it, and here it is said."""
        with self._lock:
            processes, self._processes = self._processes, {}
        for process in processes.values():
            tail = f"[leash] lost: {why}"
            process.ended(
                RoleExited(
                    node=self._spec.name,
                    role=process.name,
                    code=KILLED,
                    reason="killed",
                    stderr_tail=tail,
                )
            )


def _holder(text: str) -> str:
    """What a holder wrote about itself, as a sentence."""
    try:
        body = json.loads(text)
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(body["since_s"]))
        return f"{body['owner']} (pid {body['pid']} there) since {since}"
    except (ValueError, KeyError, TypeError):
        return "somebody who wrote no name"
