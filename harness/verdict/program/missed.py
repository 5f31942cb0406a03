"""Sockets of a program of which not all was seen: what they carried cannot be compared then."""

from __future__ import annotations

from harness.evidence import Judged, ProgramSockets
from harness.verdict.exchange import ROLES, Exchange
from harness.verdict.finding import breaks


def missed(exchange: Exchange, claim: str) -> Judged | None:
    """The first role whose host could not keep up with the program's sockets."""
    for role in ROLES:
        if (seen := exchange.last(ProgramSockets, role=role)) and (why := _why(seen.record)):
            fact = f"not all of the {role}'s sockets are known: {why}"
            return breaks(
                exchange, claim, "NO_EVIDENCE", fact, at_s=seen.at_s, node=exchange.nodes[role]
            )
    return None


def _why(told: ProgramSockets) -> str:
    if told.losses:
        return f"{told.losses} times more were closed at once than the kernel's queue holds"
    return f"{told.left_out} are more than a record may have" if told.left_out else ""
