"""Runs as pure data for pages: many tests, hostile words, and a run of every outcome."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from harness.evidence import Entry, RunEnded, RunStarted, TestFinished, TestsPlanned
from suites.unit.report.run import joined, run
from suites.unit.verdict.clean import entries_of

HOSTILE = (
    "\"'></style></script><script>alert(1)</script><img src=x onerror=alert(1)>\x1b\u202e&amp;"
)
# Words that mean something to the harness; all else is somebody's text.
MEANINGFUL = {"outcome", "role", "claim", "phase", "plan"}
OUTCOMES = ("PASS", "FAIL", "PASS", "ERROR", "PASS", "INCONCLUSIVE", "PASS", "SKIP")


def many(tests: int, outcomes: tuple[str, ...] = OUTCOMES) -> list[Entry]:
    """So many tests without exchanges, their outcomes in turn."""
    ids = [f"suites/hardware/test_many.py::test_number[{n}]" for n in range(tests)]
    began = RunStarted(tier="testbed", inventory={"nodes": []}, options={}, versions={})
    ends = [
        TestFinished(
            test=test,
            outcome=(outcome := outcomes[at % len(outcomes)]),
            duration_s=at / 1000,
            klass="" if outcome == "PASS" else "MADE",
            message="" if outcome == "PASS" else f"MADE node-a/eth{at % 4 + 1}: fact {at}",
            detail="" if outcome == "PASS" else f"MADE\n  evidence {at}\n  more of it",
        )
        for at, test in enumerate(ids)
    ]
    records = [
        began,
        TestsPlanned(tests=dict.fromkeys(ids, "a.py:1")),
        *ends,
        RunEnded(exit_code=int(set(outcomes) > {"PASS"})),
    ]
    return joined([entries_of([(0.0, record)], exchange="") for record in records])


def hostile() -> list[Entry]:
    """A run with every outcome, and hostile words behind each text that is free."""
    return [
        replace(entry, run=entry.run + HOSTILE, record=_spoilt(entry.record)) for entry in run()
    ]


def _spoilt(value: Any, name: str = "") -> Any:
    if name in MEANINGFUL:
        return value
    if isinstance(value, str):
        return value + HOSTILE
    if is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: _spoilt(getattr(value, f.name), f.name) for f in fields(value)}
        return replace(value, **parts)
    if isinstance(value, (list, tuple)):
        return type(value)(_spoilt(each) for each in value)
    if isinstance(value, dict):
        # Keys are the harness's own words, but for a plan's tests.
        return {k + HOSTILE if name == "tests" else k: _spoilt(v) for k, v in value.items()}
    return value
