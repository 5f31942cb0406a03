"""What became of every planned test: the model that all reports share.

Each planned test appears exactly once, whatever happened. A test without an end is an ERROR that
names the last thing that was seen of it; one that never began is an ERROR too, because a run that
was cut short must not look like a shorter run. A green test that left a claim open is an ERROR.

Of a test that was tried several times the worst end counts, unless the test itself asked for tries
and its last was green: then it is green and flaky. No red try is hidden: a case keeps them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.evidence import (
    Entry,
    ExchangePlanned,
    Judged,
    Progress,
    TestFinished,
    TestsPlanned,
    TestStarted,
)
from harness.verdict import Outcome, headline, outcome_named, unsettled

NAMED = ("node", "role", "channel", "claim")  # fields that tell one record from its siblings
NEXT = "  next: "  # of a detail, the line that says what to do


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test's end. `source` is its file:line as it was planned; `others` are the ends of its
    other tries."""

    test: str
    source: str = ""
    outcome: Outcome
    klass: str = ""
    message: str = ""
    detail: str = ""
    duration_s: float = 0.0
    attempt: int = 1
    others: tuple[Case, ...] = ()

    @property
    def flaky(self) -> bool:
        """Green, as a test that asked for tries may be, after a red try."""
        return not self.red and any(other.red for other in self.others)

    @property
    def red(self) -> bool:
        return self.outcome > Outcome.PASS

    @property
    def next_step(self) -> str:
        """What the detail says to do next."""
        steps = (line for line in self.detail.splitlines() if line.startswith(NEXT))
        return next(steps, "").removeprefix(NEXT)

    @property
    def worded(self) -> str:
        """The message; of an ERROR or INCONCLUSIVE it begins with the word."""
        word, message = self.outcome.name, self.message or self.klass or self.outcome.name
        if self.outcome in (Outcome.FAIL, Outcome.SKIP) or message.startswith(word):
            return message
        return f"{word} {message}"


def cases(entries: Sequence[Entry]) -> list[Case]:
    """A case for every test that was planned or seen, in the order of the plan."""
    finished: dict[str, list[TestFinished]] = {}
    for record in (e.record for e in entries if isinstance(e.record, TestFinished)):
        finished.setdefault(record.test, []).append(record)
    started = {e.record.test: e for e in entries if isinstance(e.record, TestStarted)}
    judged = [e.record for e in entries if isinstance(e.record, Judged)]
    red = [one for one in judged if Outcome[one.outcome] > Outcome.PASS]
    still_open: dict[str, list[Judged]] = {}
    for one in unsettled(entries):
        still_open.setdefault(one.test, []).append(one)
    found = []
    for test, source in _tests(entries).items():
        if test in finished:
            case = _of_tries(finished[test], source)
        elif test in started:
            case = _interrupted(test, source, _last(entries, started[test]))
        else:
            case = _not_run(test, source)
        if not case.red and (hidden := [one for one in red if _is_of(one, case)]):
            case = _swallowed(case, hidden[0])
        found.append(_with_open_claims(case, still_open.get(test, [])))
    return found


def _swallowed(case: Case, judged: Judged) -> Case:
    """A test that ended green although a verdict of it was not: the verdict counts."""
    return replace(
        case, outcome=Outcome[judged.outcome], klass=judged.klass, message=headline(judged)
    )


def _tests(entries: Sequence[Entry]) -> dict[str, str]:
    """Every test with its source; those that nobody planned come last."""
    tests: dict[str, str] = {}
    for entry in entries:
        if isinstance(entry.record, TestsPlanned):
            tests |= {t: s for t, s in entry.record.tests.items() if t not in tests}
    for entry in entries:
        if isinstance(entry.record, TestStarted | TestFinished):
            tests.setdefault(entry.record.test, "")
    return tests


def _of_tries(ends: Sequence[TestFinished], source: str) -> Case:
    """The end that counts, with the others."""
    tried = [_ended(end, source) for end in ends]
    asked = max(end.tries for end in ends)
    may_be_flaky = tried[-1].outcome is Outcome.PASS and 1 < len(tried) <= asked
    counts = tried[-1] if may_be_flaky else max(tried, key=lambda case: case.outcome)
    return replace(counts, others=tuple(case for case in tried if case is not counts))


def _is_of(judged: Judged, case: Case) -> bool:
    """Whether it was judged in the try that counts; of a flaky test the red tries are known."""
    return judged.test == case.test and (not case.flaky or judged.attempt == case.attempt)


def _ended(end: TestFinished, source: str) -> Case:
    return Case(
        test=end.test,
        source=source,
        outcome=outcome_named(end.outcome),
        klass=end.klass,
        message=end.message,
        detail=end.detail,
        duration_s=end.duration_s,
        attempt=end.attempt,
    )


def _interrupted(test: str, source: str, last: str) -> Case:
    return Case(
        test=test,
        source=source,
        outcome=Outcome.ERROR,
        klass="INTERRUPTED",
        message=f"INTERRUPTED: the run ended while this test ran; last event: {last}",
    )


def _not_run(test: str, source: str) -> Case:
    return Case(
        test=test,
        source=source,
        outcome=Outcome.ERROR,
        klass="NOT_RUN",
        message="NOT_RUN: the run ended before this test began",
    )


def _with_open_claims(case: Case, still_open: list[Judged]) -> Case:
    """A red test keeps its own reason; the open claims are listed below it."""
    if not still_open:
        return case
    lines = [headline(judged) for judged in still_open]
    detail = "\n".join(filter(None, [case.detail, *lines]))
    if case.red:
        return replace(case, detail=detail)
    return replace(case, outcome=Outcome.ERROR, klass="UNSETTLED", message=lines[0], detail=detail)


def _last(entries: Sequence[Entry], started: Entry) -> str:
    """The last record that concerns this test, in words."""
    test = getattr(started.record, "test", "")
    exchanges = {
        name
        for e in entries
        if isinstance(e.record, ExchangePlanned) and e.record.test == test
        for name in (e.exchange, e.record.mesh or e.exchange)
    }
    ours = [e for e in entries if e is started or e.exchange in exchanges]
    ours = [e for e in ours if not isinstance(e.record, Progress)]  # a mere sign of life
    last = max(ours, key=lambda e: (e.wall_s, e.worker, e.seq))
    names = [f"{name} {getattr(last.record, name)}" for name in NAMED if _has(last, name)]
    where = f" ({', '.join(names)})" if names else ""
    after_s = max(last.wall_s - started.wall_s, 0.0)
    return f"{type(last.record).__name__}{where}, {after_s:.3f} s after its start"


def _has(entry: Entry, name: str) -> bool:
    return getattr(entry.record, name, "") not in ("", -1)
