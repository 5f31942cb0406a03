"""Several runs as one report: the shards of a job, or a run and what repeated a part of it.

Every test of every run is there once. Of a test that several runs had, the worst end counts, and it
is said what became of it in the others. What is wrong with a run as a whole is a case of its own;
that a run has skipped all of its tests is wrong only if the others have done so too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import ReportError
from harness.evidence import Entry, read_journal, read_run
from harness.report.attachment import attach
from harness.report.ending import NOTHING_CHECKED, RUN_CASE
from harness.report.suite import Member, Suite, suites
from harness.verdict import Outcome

Ending = tuple[str, Member]  # with the run's name


@dataclass(frozen=True, slots=True)
class Shard:
    """One run to merge, and where its files are."""

    run: str
    folder: Path
    entries: tuple[Entry, ...]


def read_shards(places: Iterable[Path]) -> list[Shard]:
    """The runs in these places, each a run's folder or one of its journals."""
    found: dict[str, Shard] = {}
    for place in places:
        entries = read_run(place) if place.is_dir() else read_journal(place)
        folder = place if place.is_dir() else place.parent
        run = entries[0].run if entries else folder.resolve().name  # as runs call their folders
        known = found.get(run, Shard(run, folder, ())).entries
        if twice := {e.worker for e in known} & {e.worker for e in entries}:
            raise ReportError(
                f"the journal of {min(twice)} in run {run} was given twice",
                where=str(place),
                fix="Name every run once, as its folder or as its journals",
            )
        both = sorted([*known, *entries], key=lambda e: (e.wall_s, e.worker, e.seq))
        found[run] = Shard(run, folder, tuple(both))
    return list(found.values())


def merged(shards: Iterable[Shard], environ: Mapping[str, str]) -> list[Suite]:
    """The suites of all runs; those of one name are one."""
    found: dict[str, list[Suite]] = {}
    ends: dict[str, list[Ending]] = {}
    for shard in shards:
        for suite in suites(shard.entries, attach(shard.folder, environ)):
            members = tuple(_named(member, shard.run) for member in suite.members)
            for member in members:
                ends.setdefault(member.case.test, []).append((shard.run, member))
            found.setdefault(suite.name, []).append(replace(suite, members=members))
    counting = map(_worst, _with_checks(ends).values())
    told = {id(kept): _noted(kept, others) for kept, others in counting}
    joined = [
        Suite(
            name=name,
            began_s=min(suite.began_s for suite in same),
            properties=_joined([suite.properties for suite in same]),
            members=tuple(told[id(m)] for suite in same for m in suite.members if id(m) in told),
        )
        for name, same in found.items()
    ]
    return [suite for suite in joined if suite.members]  # the others' tests count elsewhere


def _named(member: Member, run: str) -> Member:
    """Two runs that were cut short are two cases."""
    if member.case.test != RUN_CASE:
        return member
    return replace(member, case=replace(member.case, test=f"{RUN_CASE}[{run}]"))


def _with_checks(ends: Mapping[str, list[Ending]]) -> Mapping[str, list[Ending]]:
    """Without the runs that checked nothing, if anything was checked at all."""
    empty = {test for test, found in ends.items() if found[0][1].case.klass == NOTHING_CHECKED}
    tests = {test: found for test, found in ends.items() if test not in empty}
    skipped = all(m.case.outcome is Outcome.SKIP for found in tests.values() for _, m in found)
    return ends if skipped else tests


def _worst(ends: Sequence[Ending]) -> tuple[Member, list[Ending]]:
    """The end that counts, a flaky one before its equals, and the others with their runs."""
    worst = max(ends, key=lambda end: (end[1].case.outcome, end[1].case.flaky))
    return worst[1], [end for end in ends if end is not worst]


def _noted(kept: Member, others: Sequence[Ending]) -> Member:
    """What became of the test elsewhere; what was lost there is said too."""
    lines = [
        f"also in run {run}: {' '.join(filter(None, [m.case.outcome.name, m.case.message]))}"
        for run, m in others
    ]
    return replace(kept, notes=(*kept.notes, *lines))


def _joined(all_properties: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Values that differ stand side by side."""
    names = dict.fromkeys(name for properties in all_properties for name in properties)
    return {
        name: "; ".join(dict.fromkeys(p[name] for p in all_properties if name in p))
        for name in names
    }
