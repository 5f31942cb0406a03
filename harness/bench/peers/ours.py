"""Ours: an ordinary exchange, judged like any other before its rate counts.

All forms send what was written before the clock starts, as the other peers do, into scattered
4 KiB pages with windows of 16. `ours` gathers and verifies every byte, and an exchange that a
verdict finds fault with is an error, not a figure. `ours-unverified` gathers them and looks at
none, `ours-raw` leaves them in their pages.

CPU time is what both role processes took from the moment at which their transfers could begin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.bench.bed import Bed
from harness.bench.figures import Figure, Load
from harness.errors import PeerError
from harness.evidence import Entry, IterationDone, RoleExited
from harness.plan import Fault, Plan
from harness.verdict import Outcome, cause, headline, judge
from harness.verdict.exchange import Exchange

DEADLINE_S = 60.0
FORMS = {"": "ours", "blind": "ours-unverified", "raw": "ours-raw"}


class Ours:
    """`fault` is what it is to leave undone: nothing, or what FORMS has. Its claims follow."""

    install = "it is part of this project"

    def __init__(self, fault: str = "", **more: Any) -> None:
        """`more` are further fields of the plan."""
        self.name = FORMS[fault] + ("-cuda" if more.get("memory") == "cuda" else "")
        self._fault, self._more = fault, more

    def find(self) -> str:
        from harness import __version__

        return __version__

    def run(self, bed: Bed, load: Load) -> Figure:
        plan = self.plan(load)
        entries = bed.exchange(plan)
        self.check(entries)
        return figure(entries)

    def plan(self, load: Load) -> Plan:
        plan = Plan(
            channels=load.channels,
            size_bytes=load.message_bytes,
            iterations=load.messages,
            prepared=True,
            deadline_s=8 * load.seconds + DEADLINE_S,
            **self._more,
        )
        if not self._fault:
            return plan
        return replace(plan, faults=(Fault(kind=self._fault),), claims=("roles",))

    def check(self, entries: Sequence[Entry]) -> None:
        """Refuse what any claim of the plan does not hold for."""
        worst = cause(judge(entries))
        if Outcome[worst.outcome] > Outcome.PASS:
            raise PeerError(headline(worst))


def cpu_s(entries: Sequence[Entry]) -> float:
    """Of both role processes, from their start to their end."""
    ends = [entry.record for entry in entries if isinstance(entry.record, RoleExited)]
    return sum(end.cpu_s for end in ends)


def transfer_cpu_s(entries: Sequence[Entry]) -> float:
    """Of both role processes, while they moved data."""
    latest = {e.record.role: e.record.cpu_s for e in entries if isinstance(e.record, IterationDone)}
    return sum(latest.values())


def figure(entries: Sequence[Entry]) -> Figure:
    """The client's clock has the time: from its first post to the server's word."""
    seen = Exchange(entries)
    if seen.gb_s <= 0:
        raise PeerError("no rate was measured")
    return Figure(
        size_bytes=seen.plan.total_bytes,
        elapsed_s=seen.plan.total_bytes / seen.gb_s / 1e9,
        cpu_s=transfer_cpu_s(entries) or None,
        all_cpu_s=cpu_s(entries),
    )
