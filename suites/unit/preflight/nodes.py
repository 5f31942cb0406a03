"""Nodes whose probes say what a test wants: the stage's, with a lease, a clock and files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.errors import NodeError
from harness.evidence import ClockMeasured, LeaseTaken, NodeFacts
from harness.inventory import NicSpec, NodeSpec
from suites.unit.roles.pair.stage import Actor, Stage

FACTS = {
    "kernel.release": "6.6.72",
    "kernel.machine": "x86_64",
    "libc": "glibc 2.36",
    "nic.eth1.name": "eth1",
    "nic.eth1.mtu": "9000",
}


@dataclass
class Node(Stage):
    """`facts` go over FACTS; `files` are what can be fetched."""

    facts: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    nics: tuple[str, ...] = ("eth1",)
    wall_offset_s: float = 0.0
    held: list[str] = field(default_factory=list)
    started: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def spec(self) -> NodeSpec:
        nics = tuple(NicSpec(name=nic) for nic in self.nics)
        return NodeSpec(name=self.name, address=self.name, nics=nics)

    def leash(self) -> Node:
        return self

    @contextlib.contextmanager
    def lease(self, owner: str, *, wait_s: float) -> Iterator[LeaseTaken]:
        self.held.append(owner)
        yield LeaseTaken(node=self.name, waited_s=0.0)
        self.held.append("released")

    def clock(self) -> ClockMeasured:
        return ClockMeasured(
            node=self.name, offset_s=0.0, bound_s=0.001, wall_offset_s=self.wall_offset_s
        )

    def get(self, path: str, *, timeout_s: float) -> bytes:
        if path not in self.files:
            raise NodeError(f"cannot read {path}: No such file or directory", where=self.name)
        return self.files[path]

    def start(self, name, argv, **how):  # type: ignore[no-untyped-def]
        process = super().start(name, argv, **how)
        assert self.held, "probed without a lease"
        self.started.append(tuple(argv))
        self.plays[name](self.actors[name], "")
        return process


def node(name: str, *, files: dict[str, bytes] | None = None, **facts: str) -> Node:
    """A node whose probe says FACTS, but for `facts` (dots written __)."""
    changed = {key.replace("__", "."): value for key, value in facts.items()}

    def probe(actor: Actor, line: str) -> None:
        actor.says(NodeFacts(node=name, facts={**FACTS, **changed}))
        actor.exits(0)

    return Node(name, {"probe": probe}, facts=changed, files=files or {})
