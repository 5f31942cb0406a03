"""Whether somebody else kept an exchange's nodes busy.

Each role tells what its node's CPUs did meanwhile. What no role of the exchange spent is somebody
else's: another test's, a backup's, another guest's of the same hypervisor. Nodes may be one
machine, as a testbed's are and containers can be: then both roles' share is ours, and who was ready
first has seen the other get ready, so that who saw least is right. Exchanges of a mesh run beside
each other and tell of themselves alone: of them nobody can say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.evidence import NodeBusy
from harness.verdict.exchange import Exchange
from harness.verdict.limits import LIMITS


@dataclass(frozen=True, slots=True)
class Foreign:
    """CPU seconds that others had on a node, of `whole_s` that its CPUs have had meanwhile."""

    node: str
    spent_s: float
    whole_s: float

    @property
    def disturbs(self) -> bool:
        """More than a start of something small, and than what every machine does by itself."""
        return self.spent_s > LIMITS.foreign_cpu_s + LIMITS.foreign_cpu_share * self.whole_s


def foreign_cpu(exchange: Exchange) -> list[Foreign]:
    """A machine each; [] where nobody told."""
    if exchange.planned.mesh:
        return []
    machines: dict[str, list[NodeBusy]] = {}
    for told in (seen.record for seen in exchange.seen(NodeBusy)):
        machines.setdefault(told.machine or told.node, []).append(told)
    return [_foreign(told) for told in machines.values()]


def _foreign(told: Sequence[NodeBusy]) -> Foreign:
    least = min(told, key=lambda one: one.programs_s)
    foreign_s = least.programs_s - sum(one.own_s for one in told)
    return Foreign(least.node, max(foreign_s, 0.0), least.programs_s + least.rest_s)
