"""A clean exchange of a program as pure data: what was said, what the kernel and the NICs saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.evidence import (
    ChannelDone,
    ChannelMapped,
    ChannelSockets,
    Entry,
    IterationDone,
    NicCount,
    NicCounters,
    ProgramSaid,
    ProgramSockets,
    ProgramStarted,
    SocketSeen,
)
from harness.plan import MIB, Plan
from suites.unit.verdict.clean import (
    DONE_S,
    NODES,
    added,
    clean,
    edited,
    without,
)

PROGRAM = "test_tcpx_perf_multi"
TIMES_S = 0.25  # of an iteration


def ran(**plan: Any) -> list[Entry]:
    """Two iterations on four channels, in which everything adds up."""
    fields = {"program": PROGRAM, "size_bytes": 64 * MIB, "iterations": 2, **plan}
    entries = clean(**fields)
    sockets = [e.record for e in entries if isinstance(e.record, ChannelSockets)]
    for kind in (ChannelDone, IterationDone, ChannelSockets):
        entries = without(entries, kind)
    for role, node in NODES.items():
        own = tuple(s for record in sockets if record.role == role for s in record.sockets)
        entries = added(entries, started(role, Plan(**fields)), 0.3)
        entries = added(entries, ProgramSockets(node=node, role=role, own=own), DONE_S)
        for record in words(role, Plan(**fields)):
            entries = added(entries, record, DONE_S - 0.1)
    return entries


def started(role: str, plan: Plan) -> ProgramStarted:
    return ProgramStarted(
        node=NODES[role],
        role=role,
        program=plan.program,
        place=f"/opt/{plan.program}",
        commands=(f"/opt/{plan.program} {role}",),
        environment={},
        due_bytes=plan.total_bytes,
        processes=(0,),
        iterations=plan.iterations,
    )


def words(role: str, plan: Plan) -> list[ProgramSaid]:
    """What the earlier runner says of iterations that all went well."""
    rate = plan.size_bytes / TIMES_S / 1e9
    each = [
        say(role, what, value, iteration=iteration)
        for iteration in range(plan.iterations)
        for what, value in (("iteration_bytes", plan.size_bytes), ("iteration_s", TIMES_S))
    ]
    whole = {"iterations": plan.iterations, "average_s": TIMES_S, "rate_gb_s": rate}
    return [*each, *(say(role, what, value) for what, value in whole.items())]


def say(role: str, what: str, value: float, line: str = "a line", **where: int) -> ProgramSaid:
    return ProgramSaid(node=NODES[role], role=role, what=what, value=value, line=line, **where)


def also(entries: list[Entry], *records: ProgramSaid, at_s: float = DONE_S) -> list[Entry]:
    """The same, and more words."""
    for record in records:
        entries = added(entries, record, at_s)
    return entries


def socketed(
    entries: list[Entry], role: str, change: Callable[[int, SocketSeen], SocketSeen]
) -> list[Entry]:
    """The role's sockets changed, each with its number."""
    return edited(
        entries,
        ProgramSockets,
        lambda r: replace(r, own=tuple(change(i, s) for i, s in enumerate(r.own))),
        role=role,
    )


def carried(entries: list[Entry], share: float) -> list[Entry]:
    """Every data NIC carried only a share of it, and so did the sockets."""
    idle = {
        e.record.node: {n.name: n for n in e.record.nics}
        for e in entries
        if isinstance(e.record, NicCounters) and e.record.phase == "idle"
    }

    def less(record: NicCounters) -> NicCounters:
        before = idle[record.node]
        return replace(record, nics=tuple(_between(before[n.name], n, share) for n in record.nics))

    entries = edited(entries, NicCounters, less, phase="settled")
    for role in NODES:
        entries = socketed(
            entries,
            role,
            lambda _, s: replace(
                s,
                bytes_sent=round(s.bytes_sent * share),
                bytes_received=round(s.bytes_received * share),
            ),
        )
    return entries


def on_one_nic(entries: list[Entry]) -> list[Entry]:
    """All connections of both roles are on eth1, and so is what the NICs counted."""
    for role in NODES:
        entries = socketed(entries, role, lambda _, s: replace(s, nic="eth1", bound_device="eth1"))
    return edited(entries, NicCounters, _gathered, phase="settled")


def mapped(entries: list[Entry], role: str, channel: int, nic: str) -> list[Entry]:
    """The role says that a channel is on another NIC."""
    return edited(entries, ChannelMapped, lambda r: replace(r, nic=nic), role=role, channel=channel)


def _gathered(record: NicCounters) -> NicCounters:
    """What eth2 to eth4 carried, on eth1."""
    by_name = {n.name: n for n in record.nics}
    rest = [by_name[f"eth{i}"] for i in (2, 3, 4)]
    base = by_name["lo"]
    first = by_name["eth1"]
    for other in rest:
        first = replace(
            first, **{f: getattr(first, f) + getattr(other, f) - getattr(base, f) for f in FIELDS}
        )
    quiet = {n.name: replace(base, name=n.name) for n in rest}
    return replace(
        record, nics=tuple(first if n.name == "eth1" else quiet.get(n.name, n) for n in record.nics)
    )


FIELDS = ("bytes_sent", "bytes_recv", "packets_sent", "packets_recv")


def _between(before: NicCount, after: NicCount, share: float) -> NicCount:
    return replace(
        after,
        **{
            f: getattr(before, f) + round((getattr(after, f) - getattr(before, f)) * share)
            for f in FIELDS
        },
    )
