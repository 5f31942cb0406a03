"""A run as the page sees it: its cases, and the exchanges of each test. Made once, read by all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from harness.evidence import Compared, Entry, Judged, PreflightEnded, Record, RunEnded, RunStarted
from harness.report.case import Case
from harness.report.ending import all_cases
from harness.report.exchanges import Told, exchanges
from harness.verdict import Outcome, unsettled, worst

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Run:
    entries: Sequence[Entry]

    @cached_property
    def started(self) -> RunStarted | None:
        return self._first(RunStarted)

    @cached_property
    def ended(self) -> RunEnded | None:
        return self._first(RunEnded)

    @cached_property
    def preflight(self) -> PreflightEnded | None:
        return self._first(PreflightEnded)

    @property
    def name(self) -> str:
        return self.entries[0].run if self.entries else ""

    @property
    def began_s(self) -> float:
        """By the wall clock."""
        return self.entries[0].wall_s if self.entries else 0.0

    @property
    def lasted_s(self) -> float:
        return self.entries[-1].wall_s - self.began_s if self.entries else 0.0

    @cached_property
    def cases(self) -> list[Case]:
        """In the order of the plan."""
        return all_cases(self.entries)

    @cached_property
    def ordered(self) -> list[tuple[int, Case]]:
        """Every case with its number in the plan: the red first, the gravest before others."""
        numbered = list(enumerate(self.cases, 1))
        return sorted(numbered, key=lambda one: -one[1].outcome if one[1].red else 0)

    @cached_property
    def red(self) -> list[tuple[int, Case]]:
        return [(number, case) for number, case in self.ordered if case.red]

    @cached_property
    def told(self) -> list[Told]:
        return exchanges(self.entries)

    @cached_property
    def told_of(self) -> dict[str, list[Told]]:
        """Test -> its exchanges."""
        by_test: dict[str, list[Told]] = {}
        for one in self.told:
            by_test.setdefault(one.seen.planned.test, []).append(one)
        return by_test

    @cached_property
    def compared(self) -> list[Compared]:
        """Figures beside the last good nights."""
        return [e.record for e in self.entries if isinstance(e.record, Compared)]

    @cached_property
    def judged(self) -> list[Judged]:
        return [e.record for e in self.entries if isinstance(e.record, Judged)]

    @cached_property
    def judged_of(self) -> dict[str, list[Judged]]:
        """Test -> all verdicts on its claims, those of its exchanges too."""
        by_test: dict[str, list[Judged]] = {}
        for one in self.judged:
            by_test.setdefault(one.test, []).append(one)
        return by_test

    @cached_property
    def open_claims(self) -> tuple[Judged, ...]:
        return unsettled(self.entries)

    @property
    def outcome(self) -> Outcome:
        return worst(case.outcome for case in self.cases)

    @cached_property
    def by_exchange(self) -> dict[str, list[Entry]]:
        groups: dict[str, list[Entry]] = {}
        for entry in self.entries:
            if entry.exchange:
                groups.setdefault(entry.exchange, []).append(entry)
        return groups

    def _first(self, kind: type[R]) -> R | None:
        return next((e.record for e in self.entries if isinstance(e.record, kind)), None)


def worst_of(told: Told) -> Outcome:
    """The exchange's verdict."""
    return worst(Outcome[one.outcome] for one in told.judged)
