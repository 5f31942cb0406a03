"""The series of one run, one night each: its exchanges are the samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.evidence import Entry, ExchangePlanned, Judged
from harness.history.digest import digest
from harness.history.exclusion import NO_RATE, exclusion, not_meant
from harness.history.figures import BETTER, Figure, measured, planned
from harness.history.fingerprint import Fingerprint, fingerprint
from harness.history.revision import revision
from harness.history.series import Key, Night, Series
from harness.verdict import exchanges_of
from harness.verdict.exchange import Exchange

# Of a plan: what does not change how fast it goes.
WITHOUT = ("seed", "claims", "faults", "deadline_s", "port_base")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one exchange adds to the series of its plan; `excluded` says why it must not count, and
    `left` why it never was one."""

    plan: str
    body: dict[str, Any] = field(default_factory=dict)
    figures: dict[Figure, float] = field(default_factory=dict)
    planned: tuple[Figure, ...] = ()
    excluded: str = ""
    left: str = ""


def tonight(entries: Sequence[Entry]) -> list[Series]:
    """Every figure of every plan, with the samples that count and the number of those that do
    not."""
    return series_of(entries, samples(entries), fingerprint(entries))


def series_of(
    entries: Sequence[Entry], taken: Sequence[Sample], found: Fingerprint
) -> list[Series]:
    values: dict[tuple[str, Figure], list[float]] = {}
    excluded: Counter[tuple[str, Figure]] = Counter()
    for sample in taken:
        for figure in sample.planned:
            counts = values.setdefault((sample.plan, figure), [])
            if sample.excluded:
                excluded[sample.plan, figure] += 1
            elif figure in sample.figures:
                counts.append(sample.figures[figure])
    words = revision(entries, found)
    return [
        _series(found.digest, plan, figure, _night(entries, counts, excluded[plan, figure], words))
        for (plan, figure), counts in values.items()
        if counts or excluded[plan, figure]
    ]


def _series(found: str, plan: str, figure: Figure, night: Night) -> Series:
    metric, subject = figure
    key = Key(fingerprint=found, plan=plan, metric=metric, subject=subject)
    return Series(key=key, better=BETTER[metric], nights=(night,))


def _night(
    entries: Sequence[Entry], counts: Sequence[float], excluded: int, words: dict[str, str]
) -> Night:
    return Night(
        run=entries[0].run,
        at_s=entries[0].wall_s,
        samples=tuple(counts),
        excluded=excluded,
        revision=words,
    )


def samples(entries: Sequence[Entry]) -> list[Sample]:
    """One for each exchange that was planned, in their order."""
    judged: dict[str, list[Judged]] = {}
    for entry in entries:
        if isinstance(entry.record, Judged):
            judged.setdefault(entry.exchange, []).append(entry.record)
    return [_sample(seen, judged.get(seen.name, [])) for seen in exchanges_of(entries)]


def _sample(seen: Exchange, judged: Sequence[Judged]) -> Sample:
    body = plan_body(seen.planned)
    if left := not_meant(seen):
        return Sample(plan=digest(body), left=left)
    excluded = exclusion(seen, judged)
    if not excluded and seen.gb_s <= 0:  # a program that says nothing of its speed
        return Sample(plan=digest(body), left=NO_RATE)
    return Sample(
        plan=digest(body),
        body=body,
        figures=measured(seen),
        planned=tuple(planned(seen)),
        excluded=excluded,
    )


def plan_body(record: ExchangePlanned) -> dict[str, Any]:
    """What was moved, how, and from whom to whom.

    As it was written, not as today's defaults would complete it. What is empty is left out, so that
    a field which a later version adds, and which changes nothing, makes no new series.
    """
    kept = {name: v for name, v in record.plan.items() if v and name not in WITHOUT}
    return {**kept, "server": record.server, "client": record.client}
