"""What a program was to move is what it says that it moved, and no more than its NICs carried.

The NICs' own counts are the ledger: less their packets' headers they are the most payload that can
have crossed. A program that says more is wrong, however fast it says it was. An iteration that it
aborted is named before any sum, because an average over the others would hide it; chunks that it
admits to lack come next, then what it is silent about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from harness.evidence import Judged, ProgramSaid
from harness.verdict.carried import DIRECTION
from harness.verdict.counters import rises
from harness.verdict.delivery import CLAIM
from harness.verdict.exchange import ROLES, Exchange
from harness.verdict.finding import breaks, holds
from harness.verdict.limits import LIMITS
from harness.verdict.program.words import name, said, speakers, started


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """The most payload that a role's NICs and its connections can have carried its way."""

    by_nics: int
    by_sockets: int
    at_s: float


def delivery(exchange: Exchange) -> Judged:
    return (
        _wrong_values(exchange)
        or _aborted(exchange)
        or _lacking_chunks(exchange)
        or _not_carried(exchange)
        or _silent(exchange)
        or _missing_iterations(exchange)
        or _other_bytes(exchange)
        or _whole(exchange)
    )


def _wrong_values(exchange: Exchange) -> Judged | None:
    """What a program found wrong itself; its average is printed all the same."""
    for seen in said(exchange, "wrong_values"):
        if seen.record.value:
            count = f"{seen.record.value:,.0f} wrong values"
            fact = f"the {seen.record.role} itself counted {count}: {seen.record.line!r}"
            return _red(exchange, "DATA", fact, seen.record.role, at_s=seen.at_s)
    return None


def _aborted(exchange: Exchange) -> Judged | None:
    for seen in said(exchange, "aborted"):
        word = seen.record
        who = name(exchange, word.role, word.process)
        number = f"iteration {word.iteration + 1} of {exchange.plan.iterations}"
        fact = f"{who} aborted {number}: {word.line!r}"
        return _red(exchange, "ITERATION", fact, word.role, at_s=seen.at_s)
    return None


def _lacking_chunks(exchange: Exchange) -> Judged | None:
    """An iteration that a program calls complete with fewer chunks than it should have."""
    due = {_where(s.record): s.record.value for s in said(exchange, "iteration_chunks_due")}
    for seen in said(exchange, "iteration_chunks"):
        word = seen.record
        wanted = _chunks(exchange, word.role)
        if word.value < wanted or due.get(_where(word)) != wanted:
            who = name(exchange, word.role, word.process)
            fact = (
                f"{who} completed {word.value:.0f} of {wanted} chunks in iteration "
                f"{word.iteration + 1}: {word.line!r}"
            )
            return _red(exchange, "LEDGER", fact, word.role, at_s=seen.at_s)
    return None


def _where(word: ProgramSaid) -> tuple[str, int, int]:
    return word.role, word.process, word.iteration


def _not_carried(exchange: Exchange) -> Judged | None:
    """A role whose NICs carried less than it was to move, whatever it says."""
    for role in ROLES:
        record, carried = started(exchange, role), _carried(exchange, role)
        if record is None or not record.due_bytes:
            fact = f"the {role} runs nothing that owes payload which can be counted"
            return _red(exchange, "NO_EVIDENCE", fact, role, at_s=exchange.ended_s)
        if carried is None:
            fact = "there are no idle and settled readings of its NICs"
            return _red(exchange, "COUNTER", fact, role, at_s=exchange.ended_s)
        if carried.by_nics < record.due_bytes:
            counted = carried.by_sockets < record.due_bytes
            fact = _short(exchange, role, carried, record.due_bytes)
            klass = "LEDGER" if counted else "COUNTER"
            return _red(exchange, klass, fact, role, at_s=carried.at_s)
    return None


def _short(exchange: Exchange, role: str, carried: Carried, due_bytes: int) -> str:
    plan = exchange.plan
    chunks = plan.chunks * plan.iterations
    whole = min(carried.by_nics * chunks // due_bytes, chunks)
    rates = [f"{s.record.value:.2f}" for s in said(exchange, "rate_gb_s", role=role)]
    claims = f"says {rates[-1]} GB/s" if rates else "says no rate"
    return (
        f"the {role} {claims} for {due_bytes:,} bytes, but its NICs {DIRECTION[role]} at most "
        f"{carried.by_nics:,} and its connections {carried.by_sockets:,}: "
        f"{whole:,} of {chunks:,} chunks"
    )


def _silent(exchange: Exchange) -> Judged | None:
    """A process that says nothing of what it moved."""
    for role, process in speakers(exchange):
        if not any(said(exchange, what, role=role, process=process) for what in TELLING):
            fact = f"{name(exchange, role, process)} said nothing of what it moved"
            return _red(exchange, "NO_EVIDENCE", fact, role, at_s=exchange.ended_s)
    return None


TELLING = ("iteration_s", "iteration_chunks", "total_bytes", "total_s")


def _missing_iterations(exchange: Exchange) -> Judged | None:
    """An iteration that a process never ended, or an average over too few."""
    for role, process in speakers(exchange):
        record = started(exchange, role)
        total = record.iterations if record else 0
        ended = {
            s.record.iteration
            for what in ("iteration_s", "iteration_chunks")
            for s in said(exchange, what, role=role, process=process)
        }
        missing = [i for i in range(total) if i not in ended]
        words = said(exchange, "iterations", role=role, process=process)
        averaged = {s.record.value for s in words}
        if missing or averaged - {total}:
            who = name(exchange, role, process)
            first = f"never ended iteration {missing[0] + 1} of {total}" if missing else ""
            over = f"averaged over {min(averaged, default=0):.0f} of {total} iterations"
            fact = f"{who} {first or over}"
            return _red(exchange, "ITERATION", fact, role, at_s=exchange.ended_s)
    return None


def _other_bytes(exchange: Exchange) -> Judged | None:
    """Figures of bytes that do not add up to what was planned."""
    for role in ROLES:
        for what, seen, due in _sums(exchange, role):
            if seen < due:
                fact = f"the {role} says {seen:,.0f} {what}, {due:,} were planned"
                return _red(exchange, "LEDGER", fact, role, at_s=exchange.ended_s)
    return None


def _sums(exchange: Exchange, role: str) -> Iterator[tuple[str, float, int]]:
    """All processes of a role together: in words, what they said and what was planned."""
    record = started(exchange, role)
    totals = {s.record.process: s.record.value for s in said(exchange, "total_bytes", role=role)}
    if record and totals:
        yield "bytes in all", sum(totals.values()), record.due_bytes
    parts: Counter[int] = Counter()
    for seen in said(exchange, "iteration_bytes", role=role):
        parts[seen.record.iteration] += round(seen.record.value)
    for iteration, size in parts.items():
        yield f"bytes in iteration {iteration + 1}", size, exchange.plan.size_bytes


def _whole(exchange: Exchange) -> Judged:
    records = {role: started(exchange, role) for role in ROLES}
    carried = {role: _carried(exchange, role) for role in ROLES}
    told = [
        f"the {role}'s NICs {DIRECTION[role]} at most {c.by_nics:,} and its connections "
        f"{c.by_sockets:,} of payload, {r.due_bytes:,} are due"
        for role in ROLES
        if (c := carried[role]) and (r := records[role])
    ]
    spoke = len(speakers(exchange))
    fact = f"{spoke} processes said that they moved the plan's bytes; {'; '.join(told)}"
    return holds(exchange, CLAIM, checked=spoke + 2 * len(told), fact=fact)


def _carried(exchange: Exchange, role: str) -> Carried | None:
    """All NICs but lo: which of them should have carried it is the mapping's question."""
    rising = [
        rise
        for rise in rises(exchange, exchange.nodes[role])
        if rise.direction == DIRECTION[role] and rise.nic != "lo"
    ]
    if not rising:
        return None
    sockets = [s for c in range(exchange.plan.channels) for s in exchange.sockets(role, c)]
    sent = sum(s.bytes_sent - s.bytes_retrans for s in sockets)
    return Carried(
        by_nics=sum(max(r.bytes - r.packets * LIMITS.header_min_bytes, 0) for r in rising),
        by_sockets=sent if role == "client" else sum(s.bytes_received for s in sockets),
        at_s=max(r.at_s for r in rising),
    )


def _chunks(exchange: Exchange, role: str) -> int:
    """Chunks of one process's iteration."""
    record = started(exchange, role)
    return exchange.plan.chunks // max(len(record.processes) if record else 1, 1)


def _red(exchange: Exchange, klass: str, fact: str, role: str, *, at_s: float) -> Judged:
    lines = [f"{s.record.role}: {s.record.line}" for s in said(exchange, "rate_gb_s")]
    node = exchange.nodes[role]
    return breaks(exchange, CLAIM, klass, fact, at_s=at_s, node=node, evidence=lines)
