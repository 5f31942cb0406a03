"""A clean exchange of agents as pure data: a transfer's bytes, over sockets that nobody planned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.evidence import (
    ChannelDone,
    ChannelMapped,
    ChannelSockets,
    Entry,
    ExchangePlanned,
    Observed,
)
from harness.plan import MIB, Plan
from suites.unit.verdict.clean import NODES, added, changed, clean, edited, without

INITIATOR = {"nixl-write": "client", "nixl-read": "server"}
TOLD_S = 1.4


def agented(exercise: str = "nixl-write", rails: int = 4, **fields: Any) -> list[Entry]:
    """Each rail carried an even share."""
    plan = Plan(exercise=exercise, channels=1, rails=rails, **{"size_bytes": 16 * MIB, **fields})
    spread = {"size_bytes": plan.size_bytes, "chunk_bytes": plan.chunk_bytes}
    entries = clean(channels=rails, iterations=plan.iterations, **spread)
    entries = changed(entries, ExchangePlanned, plan=plan.to_json())
    entries = without(entries, ChannelMapped)
    for role in NODES:
        entries = _as_one(entries, plan, role)
        for subject, value in subjects(plan, role).items():
            said = Observed(node=NODES[role], role=role, subject=subject, value=value)
            entries = added(entries, said, TOLD_S)
    return entries


def subjects(plan: Plan, role: str) -> dict[str, int]:
    """What an agent of `role` tells of itself."""
    return {
        "registered": plan.pieces,
        "agents_loaded": 1,
        "descriptors_loaded": plan.chunks,
        "transfers": plan.iterations if INITIATOR[plan.exercise] == role else 0,
        "notifications": plan.iterations,
        "agents_removed": 1,
        "refused_when_removed": 1,
        "deregistered": plan.pieces,
        "refused_when_deregistered": 1,
    }


def _as_one(entries: list[Entry], plan: Plan, role: str) -> list[Entry]:
    """All channels' sockets and totals of a role become those of its one connection."""
    sockets = tuple(
        socket
        for entry in entries
        if isinstance(said := entry.record, ChannelSockets) and said.role == role
        for socket in said.sockets
    )
    for channel in range(1, plan.rails):
        for kind in (ChannelSockets, ChannelDone):
            entries = without(entries, kind, role=role, channel=channel)
    verified = plan.total_bytes if role == "server" else 0

    def whole(done: ChannelDone) -> ChannelDone:
        return replace(
            done,
            bytes=plan.total_bytes,
            chunks=plan.chunks * plan.iterations,
            bytes_verified=verified,
            words_verified=verified // 8,
        )

    entries = edited(entries, ChannelDone, whole, role=role)
    return changed(entries, ChannelSockets, where={"role": role}, sockets=sockets)
