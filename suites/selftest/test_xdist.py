"""Two workers, one testbed, one pair of nodes: the verdicts are those of one process.

What keeps the workers' exchanges apart is the lease on each node. A worker waits for it before its
exchange begins, so that waiting never eats an exchange's time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from harness.evidence import (
    Entry,
    ExchangeEnded,
    ExchangePlanned,
    LeaseReleased,
    LeaseTaken,
    PreflightEnded,
    RunStarted,
    TestFinished,
    TestsPlanned,
)
from harness.report.junit import address
from suites.selftest.pytest_run import (
    PROJECT,
    Case,
    PytestRun,
    cases,
    categories,
    small_project,
    suite,
)

pytestmark = pytest.mark.selftest

RUN_S = 180.0
CLOSE_S = 0.1  # from one record to the next, on a busy machine
WORKERS = {"gw0", "gw1"}
GREEN = (
    "suites/hardware/test_reach.py",
    "suites/hardware/test_mapping.py::test_channel_i_is_on_nic_i_mod_n",
    "suites/hardware/test_integrity.py::test_both_directions",
)
RED = {
    "test_fault[flip]": ("failure", "BITFLIP"),
    "test_fault[one_nic]": ("failure", "MAPPING"),
    "test_unsettled": ("error", "UNSETTLED"),
    "test_unplanned_skip": ("error", "UNPLANNED_SKIP"),
}
TESTS = [f"{PROJECT}/{test}" for test in GREEN]
TESTS += [f"{PROJECT}/suites/faults/planted.py::{name}" for name in RED]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PytestRun]:
    """The same tests, some of them red on purpose, in one process and with two workers."""
    return {workers: _ended(tmp_path_factory.mktemp("run"), workers) for workers in ("0", "2")}


def _ended(folder: Path, workers: str) -> PytestRun:
    run = PytestRun(folder, suite("-n", workers, *TESTS))
    assert run.finish(RUN_S) == pytest.ExitCode.TESTS_FAILED, run.said()
    return run


@pytest.fixture(scope="module")
def parallel(runs: dict[str, PytestRun]) -> list[Entry]:
    """The journals of the run with two workers."""
    return runs["2"].entries()


# The same verdicts


def test_two_workers_give_the_verdicts_of_one_process(runs: dict[str, PytestRun]) -> None:
    alone, both = (runs[workers].ours() for workers in ("0", "2"))
    assert _verdicts(both) == _verdicts(alone)


def test_the_verdicts_are_the_right_ones(runs: dict[str, PytestRun]) -> None:
    seen = {name: (case.category, case.klass) for name, case in runs["2"].ours().items()}
    red = {f"suites.faults.planted.{name}": verdict for name, verdict in RED.items()}
    assert {name: verdict for name, verdict in seen.items() if any(verdict)} == red
    assert len(seen) - len(red) == 10


def _verdicts(found: dict[str, Case]) -> dict[str, tuple[str, str, str]]:
    """Each test's category, class and the place that it blames."""
    return {n: (c.category, c.klass, c.message.partition(": ")[0]) for n, c in found.items()}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_both_junit_files_have_every_planned_test_once(
    runs: dict[str, PytestRun], workers: str
) -> None:
    run = runs[workers]
    records = [entry.record for entry in run.entries()]
    planned = [test for r in records if isinstance(r, TestsPlanned) for test in r.tests]
    finished = [r.test for r in records if isinstance(r, TestFinished)]
    assert sorted(finished) == sorted(planned)
    assert sorted(run.ours()) == sorted(".".join(address(test)) for test in planned)
    assert categories(cases(run.theirs)) == categories(run.ours())


# One testbed, one pair, two workers


def test_there_is_one_testbed_and_both_workers_use_it(parallel: list[Entry]) -> None:
    assert sum(isinstance(entry.record, RunStarted) for entry in parallel) == 1
    exchanges = [entry for entry in parallel if isinstance(entry.record, ExchangePlanned)]
    assert {entry.worker for entry in exchanges} == WORKERS
    for intervals in leases(parallel).values():
        assert {worker for _, _, worker in intervals} == WORKERS


def test_leases_of_a_node_never_overlap(parallel: list[Entry]) -> None:
    for node, intervals in leases(parallel).items():
        assert overlaps(intervals) == [], node
    leased = sum(isinstance(e.record, ExchangeEnded | PreflightEnded) for e in parallel)
    assert {node: len(held) for node, held in leases(parallel).items()} == {
        "node-a": leased,
        "node-b": leased,
    }


def test_one_worker_makes_the_preflight_for_both(parallel: list[Entry]) -> None:
    assert sum(isinstance(entry.record, PreflightEnded) for entry in parallel) == 1


def test_overlapping_leases_would_be_seen() -> None:
    first, second, third = (0.0, 2.0, "gw0"), (1.9, 3.0, "gw1"), (3.0, 4.0, "gw0")
    assert overlaps([third, second, first]) == [(first, second)]


def test_an_exchange_begins_when_its_lease_is_there(parallel: list[Entry]) -> None:
    waited_s = [e.record.waited_s for e in parallel if isinstance(e.record, LeaseTaken)]
    assert max(waited_s) > CLOSE_S, "no worker had to wait: this would show nothing"
    for entry in parallel:
        if isinstance(entry.record, ExchangeEnded):
            leased_s = entry.at_s - _leased_at(parallel, entry.exchange)
            assert entry.record.duration_s == pytest.approx(leased_s, abs=CLOSE_S)


Interval = tuple[float, float, str]  # from, to, by which worker


def leases(entries: Sequence[Entry]) -> dict[str, list[Interval]]:
    """When each node was held, by the clock that all workers share."""
    found: dict[str, list[Interval]] = {}
    taken: dict[tuple[str, str], float] = {}
    for entry in entries:
        if isinstance(entry.record, LeaseTaken):
            taken[entry.worker, entry.record.node] = entry.at_s
        elif isinstance(entry.record, LeaseReleased):
            began_s = taken.pop((entry.worker, entry.record.node))
            interval = (began_s, entry.at_s, entry.worker)
            found.setdefault(entry.record.node, []).append(interval)
    assert not taken, "every lease was given back"
    return found


def overlaps(intervals: Sequence[Interval]) -> list[tuple[Interval, Interval]]:
    return [(one, two) for one, two in pairwise(sorted(intervals)) if two[0] < one[1]]


def _leased_at(entries: Sequence[Entry], exchange: str) -> float:
    """When the exchange had all its leases."""
    return max(
        e.at_s for e in entries if e.exchange == exchange and isinstance(e.record, LeaseTaken)
    )


# Waiting for a lease

HELD_S, DEADLINE_S = 5.0, 2.0
WAITING = f"""
import time
from dataclasses import replace
from pathlib import Path

HELD = Path(__file__).with_name("held")


def test_holder(nodes):
    with nodes[1].leash().lease("the holder", wait_s=5.0):
        HELD.touch()
        time.sleep({HELD_S})


def test_waiter(exchange, plan):
    given_up_s = time.monotonic() + 30.0
    while not HELD.exists():
        assert time.monotonic() < given_up_s
        time.sleep(0.02)
    exchange(replace(plan, size_bytes=1 << 20, deadline_s={DEADLINE_S}))
"""


def test_waiting_longer_than_the_deadline_does_not_fail_an_exchange(tmp_path: Path) -> None:
    options = small_project(tmp_path / "project", WAITING)
    run = PytestRun(tmp_path, (*options, "-n", "2"))
    assert run.finish(RUN_S) == pytest.ExitCode.OK, run.said()
    records = [entry.record for entry in run.entries()]
    waited_s = {r.node: r.waited_s for r in records if isinstance(r, LeaseTaken)}
    assert waited_s["node-b"] > DEADLINE_S
    (ended,) = (r for r in records if isinstance(r, ExchangeEnded))
    assert ended.problem == ""
    assert ended.duration_s < waited_s["node-b"]
