"""Whether somebody else kept an exchange's nodes busy.

Each role tells what its node's CPUs did meanwhile. What no role of the exchange spent is somebody
else's: another test's, a backup's, another guest's of the same hypervisor. On a testbed both nodes
are one machine, so that both roles' share is ours. Exchanges of a mesh run beside each other and
tell of themselves alone: of them nobody can say.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.evidence import NodeBusy
from harness.verdict.exchange import Exchange
from harness.verdict.limits import LIMITS

ONE_MACHINE = "testbed"


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
    """A role each; [] where nobody told."""
    told = [seen.record for seen in exchange.seen(NodeBusy)]
    if exchange.planned.mesh:
        return []
    shared = exchange.planned.tier.startswith(ONE_MACHINE)
    return [_foreign(one, [o for o in told if shared or o.node == one.node]) for one in told]


def _foreign(one: NodeBusy, ours: list[NodeBusy]) -> Foreign:
    foreign_s = one.programs_s - sum(other.own_s for other in ours)
    return Foreign(one.node, max(foreign_s, 0.0), one.programs_s + one.rest_s)
