"""Whether the run as a whole came to its end, and the verdict on it.

All tests green is not enough: a run without an end was cut short, one without tests or with skipped
ones alone proves nothing, and an exit code that no test explains is trouble that no test saw. Such
a run gets a case of its own, so that whoever reads nothing but the JUnit file sees red as well; a
run that is red anyway does not.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.evidence import Entry, RunEnded
from harness.report.case import NEXT, Case, cases
from harness.verdict import Outcome, counted, worst
from harness.verdict.next_step import next_step
from harness.verdict.outcome import outcome_of

RUN_CASE = "run::ending"
NOTHING_CHECKED = "NOTHING_CHECKED"


def all_cases(entries: Sequence[Entry]) -> list[Case]:
    """Every test's case and, where no test shows what is wrong with the run, the run's own."""
    found = cases(entries)
    if any(case.red for case in found):
        return found
    klass, message = _problem(entries, found)
    if not klass:
        return found
    wrong, step = f"{klass}: {message}", next_step(klass)
    return [
        *found,
        Case(
            test=RUN_CASE,
            outcome=outcome_of(klass),
            klass=klass,
            message=wrong,
            detail=f"{wrong}\n{NEXT}{step}" if step else "",
        ),
    ]


def outcome(entries: Sequence[Entry]) -> Outcome:
    """The run's verdict."""
    return worst(case.outcome for case in all_cases(entries))


def _problem(entries: Sequence[Entry], found: Sequence[Case]) -> tuple[str, str]:
    ended = [e.record.exit_code for e in entries if isinstance(e.record, RunEnded)]
    if not ended:
        return "INTERRUPTED", "the run has no end in its journal"
    if not found:
        return "NOT_RUN", "no test was planned"
    if ended[-1] != 0:
        return "EXIT_CODE", f"the run ended with {ended[-1]} although no test is red"
    if all(case.outcome is Outcome.SKIP for case in found):
        tests = counted(len(found), "test")
        return NOTHING_CHECKED, f"no test passed: {tests} skipped or failing as expected"
    return "", ""
