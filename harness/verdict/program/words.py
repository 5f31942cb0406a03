"""What a program said and owes, for the checks that hold it to that."""

from __future__ import annotations

from harness.evidence import ProgramSaid, ProgramStarted
from harness.verdict.exchange import ROLES, Exchange, Seen


def started(exchange: Exchange, role: str) -> ProgramStarted | None:
    seen = exchange.last(ProgramStarted, role=role)
    return seen.record if seen else None


def speakers(exchange: Exchange) -> list[tuple[str, int]]:
    """Role and number of every process that has to speak of what it moved."""
    return [
        (role, process)
        for role in ROLES
        if (record := started(exchange, role))
        for process in record.processes
    ]


def said(exchange: Exchange, what: str, **where: object) -> list[Seen[ProgramSaid]]:
    """All that was said of `what`, the server's words first: both may confess the same."""
    found = exchange.seen(ProgramSaid, what=what, **where)
    return sorted(found, key=lambda seen: ROLES.index(seen.record.role))


def last(exchange: Exchange, role: str, process: int, what: str) -> float | None:
    """Its last word on `what`; None when it said nothing of it."""
    found = exchange.last(ProgramSaid, role=role, process=process, what=what)
    return found.record.value if found else None


def name(exchange: Exchange, role: str, process: int) -> str:
    """`the server`, or which of its processes."""
    record = started(exchange, role)
    several = record is not None and len(record.processes) > 1
    return f"process {process} of the {role}" if several else f"the {role}"
