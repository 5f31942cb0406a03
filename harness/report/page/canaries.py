"""Canaries: faults that were planted in this run, and whether they were caught.

Two kinds are known from a journal: exchanges whose plan holds a fault, and tests of a file
`test_planted.py` whose names end in `is_named`, each of which runs a fault in a pytest of its own.
A planted exchange is caught when a claim of it fails or stays open, and not when the bench broke,
which it does without a fault too; faults of the bootstrap are also caught when they were refused by
name, which is what the claim `bootstrap` then says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.report.case import Case
from harness.report.exchanges import Told
from harness.report.page.run import Run
from harness.verdict import Outcome

FILE = "test_planted.py::"
NAMED = "_is_named"
REFUSED = "bootstrap_"
SEEN = {Outcome.FAIL.name, Outcome.INCONCLUSIVE.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    what: str
    where: str  # its test, and its exchange if that is known
    caught: bool


def canaries(run: Run) -> list[Canary]:
    return [*_of_exchanges(run.told), *_of_tests(run.cases)]


def _of_exchanges(told: list[Told]) -> Iterator[Canary]:
    for one in told:
        kinds = [fault.kind for fault in one.seen.plan.faults]
        if kinds:
            yield Canary(
                what=", ".join(kinds),
                where=f"{one.seen.planned.test}, exchange {one.seen.name}",
                caught=_is_caught(one, kinds),
            )


def _is_caught(told: Told, kinds: list[str]) -> bool:
    seen = {one.outcome for one in told.judged} & SEEN
    refused = {one.claim for one in told.judged if one.outcome == Outcome.PASS.name}
    by_name = "bootstrap" in refused and all(kind.startswith(REFUSED) for kind in kinds)
    return bool(seen) or by_name


def _of_tests(cases: list[Case]) -> Iterator[Canary]:
    for case in cases:
        name, _, parameters = case.test.partition("[")
        if FILE in name and name.endswith(NAMED) and case.outcome is not Outcome.SKIP:
            what = parameters.rstrip("]") or name.rpartition("::")[2]
            yield Canary(what=what, where=case.test, caught=case.outcome is Outcome.PASS)
