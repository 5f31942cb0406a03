"""Nodes without machines: a leash whose processes do what a test says. The processes are real."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.evidence import Record, RoleExited, encode
from harness.inventory import NicSpec, NodeSpec
from harness.nodes import Event, Process

Play = Callable[["Actor", str], None]


def silent(actor: Actor, line: str) -> None:
    """Hears its line and says nothing."""


@dataclass
class Actor:
    """One process on a node: `plays` is called with every line that it is sent."""

    process: Process
    plays: Play
    told: list[str] = field(default_factory=list)
    env: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    deadline_s: float = 0.0

    def says(self, *said: Record | str) -> None:
        for each in said:
            text = each if isinstance(each, str) else json.dumps(encode(each))
            self.process.heard("out", text, 0.0)

    def complains(self, text: str) -> None:
        self.process.heard("err", text, 0.0)

    def exits(self, code: int, reason: str = "exited", stderr: str = "") -> None:
        name, node = self.process.name, self.process.node
        self.process.ended(
            RoleExited(node=node, role=name, code=code, reason=reason, stderr_tail=stderr)
        )


@dataclass
class Stage:
    """Stands in for a Node and its Leash."""

    name: str
    plays: dict[str, Play]  # by role
    actors: dict[str, Actor] = field(default_factory=dict)

    @property
    def spec(self) -> NodeSpec:
        return NodeSpec(name=self.name, address=self.name, nics=(NicSpec(name="eth1"),))

    def leash(self) -> Stage:
        return self

    def provision(self) -> str:
        return "/code"

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        events: queue.Queue[Event],
        env: Mapping[str, str],
        deadline_s: float,
        stream_bytes: int = 0,
        cpus: str = "",
    ) -> Process:
        process = Process(name, self.name, events, self._ask)
        process.pid, process.cpus = 100 + len(self.actors), cpus
        self.actors[name] = Actor(
            process, self.plays[name], env=env, command=tuple(argv), deadline_s=deadline_s
        )
        return process

    def _ask(self, op: str, *, name: str, **fields: Any) -> dict[str, Any]:
        actor = self.actors[name]
        if op == "send":
            actor.told.append(fields["data"].removesuffix("\n"))
            actor.plays(actor, actor.told[-1])
        elif op == "stop":
            actor.exits(-9, "killed")
        return {}
