"""Both agents took every step of their contract, as often as the plan says.

They register all pieces, load each other's metadata, move every descriptor of every iteration, hear
one notification an iteration, and take it all back; and what comes after the last step is refused:
a transfer to an agent that was removed.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.evidence import Judged, Observed
from harness.verdict.exchange import ROLES, Exchange
from harness.verdict.finding import breaks, holds

CLAIM = "agents"
INITIATOR = {"nixl-write": "client", "nixl-read": "server"}


def agents(exchange: Exchange) -> Judged:
    checked = 0
    for role, subject, expected in _expected(exchange):
        seen = exchange.last(Observed, role=role, subject=subject)
        if seen is None or seen.record.value != expected:
            told = "told nothing of it" if seen is None else f"says {seen.record.value:,}"
            detail = f" ({seen.record.detail})" if seen and seen.record.detail else ""
            return breaks(
                exchange,
                CLAIM,
                "NO_EVIDENCE" if seen is None else "AGENT",
                f"{subject} {told}, expected {expected:,}{detail}",
                at_s=seen.at_s if seen else exchange.ended_s,
                node=exchange.nodes[role],
                checked=checked,
            )
        checked += 1
    plan = exchange.plan
    fact = (
        f"{plan.iterations * plan.chunks:,} descriptors in {plan.iterations} transfers over "
        f"{plan.backend}, each notified; memory and agents were taken back, and were gone"
    )
    return holds(exchange, CLAIM, checked=checked, fact=fact)


def _expected(exchange: Exchange) -> Iterator[tuple[str, str, int]]:
    """Role, subject and value of everything that must have been observed."""
    plan = exchange.plan
    pieces = plan.pieces
    for role in ROLES:
        yield role, "registered", pieces
        yield role, "agents_loaded", 1
        yield role, "descriptors_loaded", plan.chunks
        yield role, "transfers", plan.iterations if INITIATOR[plan.exercise] == role else 0
        yield role, "notifications", plan.iterations
        yield role, "agents_removed", 1
        yield role, "refused_when_removed", 1
        yield role, "deregistered", pieces
        yield role, "refused_when_deregistered", 1
