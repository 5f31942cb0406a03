"""Turns and exchanges as tests need them, made from plain numbers."""

from __future__ import annotations

from harness.bench.figures import Figure
from harness.bench.rounds import Taken
from harness.evidence import (
    ClockMeasured,
    Entry,
    ExchangeEnded,
    ExchangePlanned,
    IterationDone,
    LeaseTaken,
    Note,
    Record,
    RoleExited,
    RoleReady,
)
from harness.plan import Plan


def figure(gb_s: float, cpu_s_per_gb: float = 0.5) -> Figure:
    return Figure(size_bytes=10**9, elapsed_s=1 / gb_s, cpu_s=cpu_s_per_gb, all_cpu_s=cpu_s_per_gb)


def turns(peer: str, channels: int, *gb_s: float, cpu: float = 0.5) -> list[Taken]:
    """One a round; 0 is a round in which the peer failed."""
    return [
        Taken(peer=peer, channels=channels, round=number, figure=figure(value, cpu))
        if value
        else Taken(peer=peer, channels=channels, round=number, error="PEER: it crashed")
        for number, value in enumerate(gb_s)
    ]


def exchange(iterations: int = 3, cpu_s: float = 0.4) -> list[Entry]:
    """Planned at 100 s; the transfer lasts from 101 s, a second an iteration."""
    plan = Plan(size_bytes=1 << 20, iterations=iterations)
    done_s = 101.0 + iterations
    planned = ExchangePlanned(
        test="t", server="a", client="b", plan=plan.to_json(), nics={}, tier="testbed"
    )
    seen: list[tuple[float, Record]] = [
        (100.0, planned),
        (100.1, LeaseTaken(node="a", waited_s=0.0)),
        (100.2, ClockMeasured(node="b", offset_s=0.0, bound_s=0.0)),
        (100.3, Note(text="observing x", node="a", role="observer")),
        (100.6, RoleReady(node="b", role="client", nonce="", pid=1)),
    ]
    seen += [(101.0 + i + 1, _done(plan, i)) for i in range(iterations)]
    seen += [(done_s + 0.1, _ended(role, cpu_s / 2)) for role in ("server", "client")]
    seen += [(done_s + 0.4, ExchangeEnded(duration_s=done_s + 0.4 - 100))]
    return [
        Entry(run="r", worker="main", seq=i, at_s=at_s, wall_s=at_s, exchange="x", record=record)
        for i, (at_s, record) in enumerate(seen)
    ]


def _done(plan: Plan, iteration: int) -> IterationDone:
    return IterationDone(
        node="b",
        role="client",
        iteration=iteration,
        bytes=plan.size_bytes,
        chunks=plan.chunks,
        started_s=101.0 + iteration,
        ended_s=102.0 + iteration,
        cpu_s=0.1 * (iteration + 1),
    )


def _ended(role: str, cpu_s: float) -> RoleExited:
    return RoleExited(
        node=role, role=role, code=0, reason="exited", cpu_s=cpu_s, max_rss_bytes=1 << 20
    )
