"""What the history keeps of a run: its samples, and the report's verdict on its tests."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evidence import Entry
from harness.history import Run, taken
from harness.history.flakes import FLAKY
from harness.report.ending import all_cases, outcome
from harness.report.page import run as page
from harness.report.page.canaries import canaries


def kept(entries: Sequence[Entry]) -> Run:
    tests = {case.test: FLAKY if case.flaky else case.outcome.name for case in all_cases(entries)}
    return taken(entries, outcome(entries).name, tests, _canaries(entries))


def _canaries(entries: Sequence[Entry]) -> dict[str, bool]:
    """Planted faults by their tests; one that was planted several times must be caught each time.
    An exchange's name is left out, which is another one every night."""
    found: dict[str, bool] = {}
    for one in canaries(page.Run(entries)):
        test = one.where.partition(", exchange ")[0]
        name = test if test.endswith(f"[{one.what}]") else f"{test}: {one.what}"
        found[name] = found.get(name, True) and one.caught
    return found
