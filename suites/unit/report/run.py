"""A run as pure data: tests that were planned, some of them with exchanges, and their ends."""

from __future__ import annotations

from dataclasses import replace

from harness.evidence import (
    ClaimMade,
    Entry,
    Judged,
    Record,
    RunEnded,
    RunStarted,
    TestFinished,
    TestsPlanned,
    TestStarted,
)
from harness.verdict import cause, headline, judge
from suites.unit.verdict.clean import added, clean, entries_of
from suites.unit.verdict.test_integrity import damage

FOLDER = "suites/hardware"
MAPPED = f"{FOLDER}/test_mapping.py::test_channel_i_is_on_nic_i_mod_n[4]"
DAMAGED = f"{FOLDER}/test_integrity.py::TestSizes::test_any_size_arrives_whole[64-a::b]"
OPEN = f"{FOLDER}/test_reach.py::test_every_node_runs_a_command"
BROKEN = f"{FOLDER}/test_reach.py::test_every_node_can_run_roles"
SKIPPED = f"{FOLDER}/test_scaling.py::test_throughput_grows_with_channels"
PLANNED = {
    test: f"{test.partition('::')[0]}:{line}"
    for line, test in enumerate((MAPPED, DAMAGED, OPEN, BROKEN, SKIPPED), 10)
}
STEP_S = 10.0


def run() -> list[Entry]:
    """A whole run: one test of each outcome."""
    damaged = added(clean("main-2", DAMAGED), damage(), 1.2)
    red = cause(judge(damaged))
    told = {"klass": red.klass, "message": headline(red), "detail": "\n".join(red.evidence)}
    parts = [
        [_began()],
        _test(MAPPED, clean("main-1", MAPPED), "PASS"),
        _test(DAMAGED, damaged, "FAIL", **told),
        _test(OPEN, [], "INCONCLUSIVE", klass="COUNTER", message="COUNTER alpha/eth2: stood still"),
        _test(BROKEN, [], "ERROR", klass="INFRA_SSH", message="INFRA_SSH: beta: no answer"),
        _test(SKIPPED, [], "SKIP", message="the inventory states no rate"),
        [_entry(RunEnded(exit_code=1))],
    ]
    return joined(parts)


def green() -> list[Entry]:
    """A whole run of one test, green."""
    only = _entry(TestsPlanned(tests={MAPPED: PLANNED[MAPPED]}))
    passed = _test(MAPPED, clean("main-1", MAPPED), "PASS")
    passed = [only if isinstance(e.record, TestsPlanned) else e for e in passed]
    return joined([[_began()], passed, [_entry(RunEnded(exit_code=0))]])


def with_claim(entries: list[Entry], claim: str) -> list[Entry]:
    """The first test also made a claim that nobody settled."""
    at = next(i for i, e in enumerate(entries) if isinstance(e.record, TestStarted))
    made = replace(entries[at], record=ClaimMade(test=MAPPED, claim=claim))
    return [*entries[: at + 1], made, *entries[at + 1 :]]


def joined(parts: list[list[Entry]]) -> list[Entry]:
    """One part after the other in time, numbered as one worker writes."""
    moved = [
        replace(entry, at_s=entry.at_s + n * STEP_S, wall_s=entry.wall_s + n * STEP_S)
        for n, part in enumerate(parts)
        for entry in part
    ]
    return [replace(entry, seq=seq) for seq, entry in enumerate(moved)]


def _began() -> Entry:
    return _entry(
        RunStarted(
            tier="testbed",
            inventory={
                "source": "node_ips/testbed.toml",
                "nodes": [{"name": "alpha"}, {"name": "beta"}],
            },
            options={},
            versions={"pytest": "9.2.0", "python": "3.11.7"},
        )
    )


def _test(test: str, exchange: list[Entry], outcome: str, **told: str) -> list[Entry]:
    verdicts: list[Judged] = list(judge(exchange)) if exchange else []
    last = exchange[-1] if exchange else _entry(TestStarted(test=test))
    planned = [_entry(TestsPlanned(tests=PLANNED))] if test == MAPPED else []
    return [
        *planned,
        _entry(TestStarted(test=test)),
        *exchange,
        *(replace(last, record=one) for one in verdicts),
        replace(
            last,
            exchange="",
            record=TestFinished(test=test, outcome=outcome, duration_s=1.2345, **told),
        ),
    ]


def _entry(record: Record) -> Entry:
    (entry,) = entries_of([(0.0, record)], exchange="")
    return entry
