"""How fast a node's NICs really were: the shortest time in which they carried so many bytes.

The observer's samples tell it to within two of them, whatever rate the NICs have and whatever a
program prints. Bytes of all NICs but lo and the management's count.
"""

from __future__ import annotations

from itertools import pairwise

from harness.evidence import NicCounters
from harness.verdict.carried import DIRECTION
from harness.verdict.exchange import Exchange

Point = tuple[float, int]  # seconds into the exchange, bytes so far


def shortest_s(exchange: Exchange, role: str, size_bytes: float) -> float:
    """At least so long the NICs of the role needed for `size_bytes`; 0 where that is not known."""
    points = _points(exchange, role)
    best, first = float("inf"), 0
    for at_s, total in points:
        while first + 1 < len(points) and total - points[first + 1][1] >= size_bytes:
            first += 1
        if total - points[first][1] >= size_bytes:
            best = min(best, at_s - points[first][0])
    if best == float("inf"):
        return 0.0
    return max(best - 2 * _longest_s(points), 0.0)


def _points(exchange: Exchange, role: str) -> list[Point]:
    """The role's NICs together, sample by sample; a sample names only those that moved."""
    management = exchange.planned.management.get(role, "")
    known: dict[str, int] = {}
    points: list[Point] = []
    for seen in exchange.seen(NicCounters, node=exchange.nodes[role]):
        for nic in seen.record.nics:
            if nic.name not in ("lo", management):
                received = DIRECTION[role] == "received"
                known[nic.name] = nic.bytes_recv if received else nic.bytes_sent
        points.append((seen.at_s, sum(known.values())))
    return points


def _longest_s(points: list[Point]) -> float:
    """The longest gap between two samples: what lies between them may be anywhere in it."""
    moving = [after[0] - before[0] for before, after in pairwise(points) if after[1] > before[1]]
    return max(moving, default=0.0)
