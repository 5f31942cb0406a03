"""A run as it is now: which tests run, which exchanges they make, what has ended and how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.evidence import (
    Entry,
    ExchangePlanned,
    RunEnded,
    RunStarted,
    TestFinished,
    TestsPlanned,
    TestStarted,
)
from harness.live.act import Act

KEPT_S = 30.0  # an exchange that ended longer ago is no longer of interest
RED = ("INCONCLUSIVE", "FAIL", "ERROR")


@dataclass(slots=True)
class Scene:
    """Takes entries in the order of time; everything else is told by its attributes."""

    run: str = ""
    tier: str = ""
    nodes: tuple[str, ...] = ()
    began_s: float = 0.0
    planned: int = 0
    ended: Counter[str] = field(default_factory=Counter)  # outcome -> tests
    red: list[TestFinished] = field(default_factory=list)
    tests: dict[str, float] = field(default_factory=dict)  # those that run, and since when
    acts: dict[str, Act] = field(default_factory=dict)
    exit_code: int | None = None
    heard_s: float = 0.0  # when anything was last written
    last: str = ""  # what that was

    def take(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._note(entry)
            self.heard_s, self.last = entry.wall_s, type(entry.record).__name__
        for name in [n for n, act in self.acts.items() if self._is_old(act)]:
            del self.acts[name]

    def acts_of(self, test: str) -> list[Act]:
        return [act for act in self.acts.values() if act.planned.test == test]

    def _note(self, entry: Entry) -> None:
        record = entry.record
        if isinstance(record, RunStarted):
            nodes = record.inventory.get("nodes", [])
            self.run, self.tier, self.began_s = entry.run, record.tier, entry.wall_s
            self.nodes = tuple(str(node.get("name", "?")) for node in nodes)
        elif isinstance(record, TestsPlanned):
            self.planned = len(record.tests)
        elif isinstance(record, TestStarted):
            self.tests[record.test] = entry.wall_s
        elif isinstance(record, TestFinished):
            self._end(record)
        elif isinstance(record, RunEnded):
            self.exit_code = record.exit_code
        elif isinstance(record, ExchangePlanned):
            self.acts[entry.exchange] = Act(entry.exchange, entry.worker, record, entry.wall_s)
        elif act := self.acts.get(entry.exchange):
            act.take(entry)

    def _end(self, test: TestFinished) -> None:
        self.tests.pop(test.test, None)
        self.ended[test.outcome] += 1
        if test.outcome in RED:
            self.red.append(test)

    def _is_old(self, act: Act) -> bool:
        return bool(act.ended_s) and self.heard_s - act.ended_s > KEPT_S
