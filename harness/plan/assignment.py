"""What one role is told: the plan, and its own part in it. One JSON line on its stdin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from harness.plan.plan import Plan

LISTS = ("nics", "node_nics", "peers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """`nics` are the data NICs of the plan's channels, in channel order."""

    plan: Plan
    role: str  # server | client
    node: str
    nics: tuple[str, ...]
    node_nics: tuple[str, ...] = ()  # all data NICs of the node, for a fault that goes astray
    management: str = "eth0"
    device: int = 0  # the CUDA device that is the plan's GPU on this node
    nonce: str = ""  # what the role must say when it is ready; also seeds the payload
    peer: str = ""  # the server's bootstrap address, for a client
    port: int = 0  # the server's bootstrap port, for a client
    peers: tuple[str, ...] = ()  # the server's data NICs' addresses, for a program's client

    def to_line(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_line(cls, line: str) -> Assignment:
        body: Mapping[str, Any] = json.loads(line)
        plan = Plan.from_json(body["plan"])
        lists = {name: tuple(body.get(name, ())) for name in LISTS}
        return cls(**{**body, "plan": plan, **lists})

    def towards(self, peer: str, port: int, peers: tuple[str, ...] = ()) -> Assignment:
        """The same assignment once the server's addresses are known."""
        return replace(self, peer=peer, port=port, peers=peers)
