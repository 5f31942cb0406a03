"""Tests that were green and red although nothing that is recorded had changed between the runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.history.store import Kept, Tested
from harness.verdict import Outcome, outcome_named

FLAKY = "FLAKY"  # of a test that was red and green in one run, which it had asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Flake:
    """`red` are runs, the oldest first; `revision` is what was under test in all of them. A run in
    which the test was both counts as both."""

    test: str
    revision: dict[str, str]
    green: int
    red: tuple[str, ...]
    last_s: float  # of the last red one


def flakes(runs: Sequence[Kept], tests: Sequence[Tested]) -> list[Flake]:
    """The latest first. Runs without an end are left out: what was cut off there is no test's
    fault."""
    ended = {one.run: one for one in runs if one.ended}
    groups: dict[tuple[str, str, str], list[Tested]] = {}
    for one in tests:
        if run := ended.get(one.run):
            words = repr(sorted(run.revision.items()))
            groups.setdefault((one.test, run.topology, words), []).append(one)
    found = [flake for group in groups.values() if (flake := _flake(group, ended))]
    return sorted(found, key=lambda one: (-one.last_s, one.test))


def _flake(group: Sequence[Tested], runs: dict[str, Kept]) -> Flake | None:
    outcomes = [outcome_named(one.outcome) for one in group]
    red = [one.run for one, how in zip(group, outcomes, strict=True) if how > Outcome.PASS]
    green = sum(one.outcome in (Outcome.PASS.name, FLAKY) for one in group)
    if not red or not green:
        return None
    return Flake(
        test=group[0].test,
        revision=runs[group[0].run].revision,
        green=green,
        red=tuple(red),
        last_s=max(runs[run].at_s for run in red),
    )
