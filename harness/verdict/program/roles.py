"""Both roles ended well, and so did what they ran: an exit status of 0 is not enough.

Some programs print that they failed and end with 0, and a script that starts others in the
background always does. So where the status is good, the words must be too: none of an error, and
those of success where the program has such.
"""

from __future__ import annotations

from dataclasses import replace

from harness.evidence import Judged, ProgramSaid
from harness.verdict.exchange import Exchange
from harness.verdict.finding import breaks
from harness.verdict.outcome import Outcome
from harness.verdict.program.words import name, said, speakers, started
from harness.verdict.roles import CLAIM
from harness.verdict.roles import roles as ended_well


def roles(exchange: Exchange) -> Judged:
    judged = ended_well(exchange)
    if judged.outcome != Outcome.PASS.name:
        return judged
    return _complained(exchange) or _not_done(exchange) or _done(exchange, judged)


def _complained(exchange: Exchange) -> Judged | None:
    """The first error that a program printed although it ended with 0."""
    errors = said(exchange, "error")
    if not errors:
        return None
    first: ProgramSaid = errors[0].record
    who = name(exchange, first.role, first.process)
    fact = f"{who} printed {first.line!r} and exited with 0"
    return _red(exchange, "PROGRAM", fact, first.role, [s.record.line for s in errors])


def _not_done(exchange: Exchange) -> Judged | None:
    """A process that never said that it succeeded, where that is its only proof."""
    for role, process in speakers(exchange):
        record = started(exchange, role)
        wanted = record.success if record else ""
        if wanted and not said(exchange, "success", role=role, process=process):
            fact = f"{name(exchange, role, process)} never printed {wanted!r}, and exited with 0"
            return _red(exchange, "PROGRAM", fact, role, [])
    return None


def _done(exchange: Exchange, judged: Judged) -> Judged:
    for role in exchange.nodes:
        if started(exchange, role) is None:
            return _red(exchange, "NO_EVIDENCE", f"the {role} started no program", role, [])
    count = len(speakers(exchange))
    program = exchange.plan.program.rpartition("/")[2]
    fact = f"{judged.fact}; {program} printed no error"
    return replace(judged, checked=judged.checked + count, fact=fact)


def _red(exchange: Exchange, klass: str, fact: str, role: str, evidence: list[str]) -> Judged:
    at_s, node = exchange.ended_s, exchange.nodes[role]
    return breaks(exchange, CLAIM, klass, fact, at_s=at_s, node=node, evidence=evidence)
