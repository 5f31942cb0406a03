"""The handles arrived as announced, or were refused by name.

Without a planted fault the client must have as many handles as there are channels and as the server
sent. With one, it must have refused them as a BOOTSTRAP error: accepting, and any other way to
fail, is the product's.
"""

from __future__ import annotations

from harness.errors import BootstrapError
from harness.evidence import Judged, Observed, RoleFailed
from harness.verdict.exchange import Exchange, Seen
from harness.verdict.finding import breaks, holds

CLAIM = "bootstrap"
KLASS = BootstrapError.klass


def bootstrap(exchange: Exchange) -> Judged:
    if any(fault.kind.startswith("bootstrap_") for fault in exchange.plan.faults):
        return _refused(exchange)
    return _arrived(exchange)


def _arrived(exchange: Exchange) -> Judged:
    channels = exchange.plan.channels
    wanted = {"server": "handles_sent", "client": "handles_received"}
    for role, subject in wanted.items():
        seen = exchange.last(Observed, role=role, subject=subject)
        if seen is None or seen.record.value != channels:
            return _wrong(exchange, role, subject, seen)
    if refused := exchange.last(Observed, role="client", subject="handles_refused"):
        fact = f"the client refused them: {refused.record.detail}"
        return _red(exchange, KLASS, fact, at_s=refused.at_s)
    fact = f"{channels} handles sent, {channels} received, in one round trip"
    return holds(exchange, CLAIM, checked=len(wanted), fact=fact)


def _wrong(exchange: Exchange, role: str, subject: str, seen: Seen[Observed] | None) -> Judged:
    refused = exchange.last(Observed, role="client", subject="handles_refused")
    if refused is not None:
        fact = f"the client refused the handles: {refused.record.detail}"
        return _red(exchange, KLASS, fact, at_s=refused.at_s)
    if seen is None:
        fact = f"the {role} told no {subject}"
        return _red(exchange, "NO_EVIDENCE", fact, at_s=exchange.ended_s, role=role)
    fact = f"{subject} is {seen.record.value}, expected {exchange.plan.channels}"
    return _red(exchange, KLASS, fact, at_s=seen.at_s, role=role)


def _refused(exchange: Exchange) -> Judged:
    """A planted fault: the client's refusal must carry the name."""
    if accepted := exchange.last(Observed, role="client", subject="handles_received"):
        fact = f"the client took {accepted.record.value} handles that it should have refused"
        return _red(exchange, KLASS, fact, at_s=accepted.at_s)
    refusal = _refusal(exchange)
    if refusal is None:
        fact = "the client told neither that it took the handles nor that it refused them"
        return _red(exchange, "NO_EVIDENCE", fact, at_s=exchange.ended_s)
    words, at_s = refusal
    if not words.startswith(KLASS):
        fact = f"refused, but not by name: {words!r}, expected a {KLASS} error"
        return _red(exchange, KLASS, fact, at_s=at_s)
    return holds(exchange, CLAIM, checked=1, fact=f"refused by name: {words}")


def _refusal(exchange: Exchange) -> tuple[str, float] | None:
    """The client's refusal in words, and when; observed on purpose, or as its last words."""
    if seen := exchange.last(Observed, role="client", subject="handles_refused"):
        return seen.record.detail, seen.at_s
    if failed := exchange.last(RoleFailed, role="client"):
        return f"{failed.record.klass}: {failed.record.message}", failed.at_s
    return None


def _red(exchange: Exchange, klass: str, fact: str, *, at_s: float, role: str = "client") -> Judged:
    return breaks(exchange, CLAIM, klass, fact, at_s=at_s, node=exchange.nodes[role])
