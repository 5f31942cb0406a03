"""What the history keeps of one run, as a pure function of its entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.errors import EvidenceError
from harness.evidence import Entry, RunEnded
from harness.history.fingerprint import Fingerprint, fingerprint
from harness.history.revision import revision
from harness.history.series import Series
from harness.history.tonight import samples, series_of
from harness.verdict import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`plans` maps a digest to what it stands for; `left` says why so many exchanges are no
    samples, `excluded` why so many samples must not count; `tests` maps a test to its outcome, and
    `canaries` a planted fault to whether it was caught."""

    run: str
    at_s: float
    tier: str
    outcome: str
    ended: bool
    fingerprint: Fingerprint
    revision: dict[str, str]
    series: tuple[Series, ...] = ()
    plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    taken: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    tests: dict[str, str] = field(default_factory=dict)
    canaries: dict[str, bool] = field(default_factory=dict)

    def told(self) -> str:
        """`12 exchanges taken; excluded: 1 FOREIGN_LOAD; left: 3 unfinished`."""
        parts = [f"{counted(self.taken, 'exchange')} taken"]
        for word, reasons in (("excluded", self.excluded), ("left", self.left)):
            if reasons:
                parts.append(f"{word}: " + ", ".join(f"{n} {r}" for r, n in reasons.items()))
        return "; ".join(parts + ([] if self.ended else ["the run has no end"]))


def taken(
    entries: Sequence[Entry],
    outcome: str,
    tests: Mapping[str, str],
    canaries: Mapping[str, bool] | None = None,
) -> Run:
    """What is kept of the run; all but the entries is the report's verdict on it."""
    if not entries:
        raise EvidenceError("the journal is empty")
    found, each = fingerprint(entries), samples(entries)
    return Run(
        run=entries[0].run,
        at_s=entries[0].wall_s,
        tier=found.topology["tier"],
        outcome=outcome,
        ended=any(isinstance(entry.record, RunEnded) for entry in entries),
        fingerprint=found,
        revision=revision(entries, found),
        series=tuple(series_of(entries, each, found)),
        plans={sample.plan: sample.body for sample in each if not sample.left},
        taken=sum(not (sample.left or sample.excluded) for sample in each),
        excluded=dict(Counter(sample.excluded for sample in each if sample.excluded)),
        left=dict(Counter(sample.left for sample in each if sample.left)),
        tests=dict(tests),
        canaries=dict(canaries or {}),
    )
