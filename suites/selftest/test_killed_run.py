"""A run of pytest that is killed or interrupted, at any moment: nothing stays but its journal.

What may stay is in `reports/`, and from it the report of the run can still be made, in which every
planned test appears once. Set HIL_KILLS to kill more often than 3 times a kind (20 is a proof),
and HIL_SEED to the number that a failed test printed to kill at the same moments again.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import junitparser
import pytest
from lxml import etree

from harness.evidence import (
    Entry,
    ExchangePlanned,
    Progress,
    RunEnded,
    TestFinished,
    TestsPlanned,
    TestStarted,
)
from harness.report.junit import address
from suites.selftest.own_places import mounted, strays
from suites.selftest.pytest_run import PROJECT, Case, PytestRun, cases, make_report, suite
from suites.selftest.test_testbed import Controller, Identity, alive, eventually, machine

pytestmark = pytest.mark.selftest

KILLS = int(os.environ.get("HIL_KILLS", "3"))
SEED = os.environ.get("HIL_SEED") or str(secrets.randbelow(10**6))
LATEST_S = 8.0  # from before the first import to the middle of the exchanges
GONE_S = 10.0
BEGUN_S = 60.0
ENDED_S = 30.0
KINDS = ("0", "2")  # what -n says
TESTS = [f"{PROJECT}/suites/hardware/test_{name}.py" for name in ("mapping", "integrity")]
SCHEMA = PROJECT / "suites/unit/report/junit-10.xsd"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[[str], PytestRun]]:
    """A part of the hardware suite with so many workers; afterwards the machine is as before."""
    wrapper = (sys.executable, "-m", "suites.selftest.own_places", str(tmp_path))
    before = machine()["interfaces"]
    yield lambda workers: PytestRun(tmp_path, suite("-n", workers, *TESTS), wrapper=wrapper)
    eventually(lambda: machine()["interfaces"] <= before, "no new interface", GONE_S)
    assert [*strays(tmp_path), *(tmp_path / "cwd").iterdir()] == []


def kill(run: PytestRun, controller: Controller) -> None:
    """`kill -9`, and then everything that the run started is gone within the time."""
    tree = controller.tree()
    assert mounted(run.folder, controller.process.pid) == []
    controller.process.kill()
    controller.process.wait()
    assert_gone(controller, tree)


def assert_gone(controller: Controller, tree: set[Identity]) -> None:
    started = time.monotonic()
    eventually(lambda: not controller.offspring(), "no process of the run is left", GONE_S)
    eventually(lambda: not alive(tree), "no process in its namespaces is left", GONE_S)
    print(f"{len(tree)} processes in namespaces, gone after {time.monotonic() - started:.2f} s")


# Killed at any moment


@pytest.mark.parametrize("workers", KINDS)
@pytest.mark.parametrize("part", range(KILLS))
def test_a_run_killed_at_any_moment_leaves_its_journal_alone(
    run: Callable[[str], PytestRun], workers: str, part: int
) -> None:
    moment_s = random.Random(f"{SEED} {workers} {part}").uniform(part, part + 1) / KILLS * LATEST_S
    print(f"HIL_SEED={SEED}: -n {workers} is killed after {moment_s:.3f} s")
    killed = run(workers)
    with killed.running() as controller:
        time.sleep(moment_s)  # not to wait for something: to be early, or in the middle, or late
        assert controller.process.poll() is None, killed.said()
        kill(killed, controller)
    if killed.journals():
        report_of(killed)


@pytest.mark.parametrize("workers", KINDS)
def test_the_report_of_a_killed_run_has_every_planned_test_once(
    run: Callable[[str], PytestRun], workers: str
) -> None:
    killed = run(workers)
    with killed.running() as controller:
        killed.await_record("ChannelMapped", controller, BEGUN_S)
        kill(killed, controller)
    found = report_of(killed)
    assert sorted(found) == sorted(map(name_of, collected(killed)))
    classes = [case.klass for case in found.values()]
    assert 1 <= classes.count("INTERRUPTED") <= max(int(workers), 1)
    assert classes.count("NOT_RUN") > 1


def collected(run: PytestRun) -> list[str]:
    """The tests that pytest itself would run."""
    folder = run.folder / "collected"
    folder.mkdir()
    asked = PytestRun(folder, (*suite("-n", "0", *TESTS), "--collect-only", "-q"))
    assert asked.finish(BEGUN_S) == 0
    return [line for line in asked.said().splitlines() if "::" in line]


def report_of(run: PytestRun) -> dict[str, Case]:
    """The report of a killed run: valid for two readers in both profiles, whole, and red."""
    folder = run.own_folder
    made = make_report(folder, "--junit", str(folder / "strict.xml"), "--junit-profile", "strict")
    assert made.returncode == 1, made.stdout + made.stderr
    etree.XMLSchema(etree.parse(SCHEMA)).assertValid(etree.parse(folder / "strict.xml"))
    assert len(list(junitparser.JUnitXml.fromfile(str(folder / "junit.xml")))) == 1
    found = cases(folder / "junit.xml")
    assert cases(folder / "strict.xml") == found
    assert merged_alone(folder) == found
    assert {name: case.klass for name, case in found.items()} == expected_classes(run.entries())
    for test, last in last_events(run.entries()).items():
        assert f"last event: {last}" in found[name_of(test)].message
    return found


def merged_alone(folder: Path) -> dict[str, Case]:
    """What `merge` makes of this run only, its own case by the name that it has elsewhere."""
    out = folder / "merged.xml"
    command = ["merge", str(folder), "--out", str(out), "--junit-profile", "strict"]
    subprocess.run(
        [sys.executable, "-m", "harness", *command], cwd=PROJECT, check=False, timeout=ENDED_S
    )
    etree.XMLSchema(etree.parse(SCHEMA)).assertValid(etree.parse(out))
    return {name.replace(f"[{folder.name}]", ""): case for name, case in cases(out).items()}


def name_of(test: str) -> str:
    return ".".join(address(test))


def expected_classes(entries: Sequence[Entry]) -> dict[str, str]:
    """What must be said of each planned test of a run without an end, by its name in JUnit."""
    records = [entry.record for entry in entries]
    planned = [test for r in records if isinstance(r, TestsPlanned) for test in r.tests]
    begun = {r.test for r in records if isinstance(r, TestStarted)}
    ended = {r.test: r.klass for r in records if isinstance(r, TestFinished)}
    cut_short = {test: "INTERRUPTED" if test in begun else "NOT_RUN" for test in planned}
    said = {name_of(test): klass for test, klass in (cut_short | ended).items()}
    return said if any(said.values()) else said | {"run.ending": "INTERRUPTED"}


def last_events(entries: Sequence[Entry]) -> dict[str, str]:
    """The kind of the last record of each test that ran when the run was killed."""
    ended = {e.record.test for e in entries if isinstance(e.record, TestFinished)}
    begun = {e.record.test: e for e in entries if isinstance(e.record, TestStarted)}
    last = {}
    for test in begun.keys() - ended:
        planned = [e for e in entries if isinstance(e.record, ExchangePlanned)]
        exchanges = {e.exchange for e in planned if e.record.test == test}  # type: ignore[attr-defined]
        ours = [e for e in entries if e is begun[test] or e.exchange in exchanges]
        ours = [e for e in ours if not isinstance(e.record, Progress)]
        last[test] = type(ours[-1].record).__name__
    return last


# Interrupted by a person


@pytest.mark.parametrize("workers", KINDS)
def test_ctrl_c_ends_a_run_cleanly_and_its_report_is_red(
    run: Callable[[str], PytestRun], workers: str
) -> None:
    interrupted = run(workers)
    with interrupted.running() as controller:
        interrupted.await_record("ChannelMapped", controller, BEGUN_S)
        tree = controller.tree()
        assert mounted(interrupted.folder, controller.process.pid) == []
        os.killpg(controller.process.pid, signal.SIGINT)  # a terminal tells the whole group
        assert controller.process.wait(ENDED_S) == pytest.ExitCode.INTERRUPTED
        assert_gone(controller, tree)
    said, found = interrupted.said(), interrupted.ours()
    assert "Traceback" not in said
    assert f"report: {interrupted.own_folder / 'junit.xml'}" in said
    assert [e.record for e in interrupted.entries() if isinstance(e.record, RunEnded)] == [
        RunEnded(exit_code=2)
    ]
    classes = {name: case.klass for name, case in found.items()}
    assert classes == expected_classes(interrupted.entries())
    assert "INTERRUPTED" in classes.values()
    written = (interrupted.own_folder / "junit.xml").read_bytes()
    assert make_report(interrupted.own_folder).returncode == 1
    assert (interrupted.own_folder / "junit.xml").read_bytes() == written


# What would be seen


def test_a_file_left_behind_would_be_seen(tmp_path: Path) -> None:
    places = [f"{place}/left" for place in ("/tmp", "/run", "/dev/shm", Path.home())]
    command = ["touch", *places, f"{tmp_path}/not-stray"]
    wrapped = [sys.executable, "-m", "suites.selftest.own_places", str(tmp_path), *command]
    subprocess.run(wrapped, cwd=PROJECT, check=True, timeout=ENDED_S)
    assert len(strays(tmp_path)) == len(places)
    assert not any(Path(place).exists() for place in places)
    assert (tmp_path / "not-stray").exists()


def test_a_mount_left_behind_would_be_seen(tmp_path: Path) -> None:
    script = f"mount -t tmpfs none {tmp_path}/cwd && echo done && read line"
    command = [
        sys.executable,
        "-m",
        "suites.selftest.own_places",
        str(tmp_path),
        "sh",
        "-c",
        script,
    ]
    (tmp_path / "cwd").mkdir()
    with subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        (line,) = mounted(tmp_path, process.pid)
        assert line.split()[4] == f"{tmp_path}/cwd"
        process.communicate("\n", timeout=ENDED_S)


def test_a_process_left_behind_would_be_seen() -> None:
    mark = f"HIL_TEST_MARK={secrets.token_hex(8)}"
    argv = ["unshare", "--net", "sh", "-c", "sleep 60 & echo; wait"]
    with subprocess.Popen(
        argv, env=dict([mark.split("=")]), stdout=subprocess.PIPE, text=True
    ) as process:
        controller = Controller(process, mark)
        assert process.stdout is not None
        process.stdout.readline()
        tree = controller.tree()
        process.kill()
        process.wait()
        left = controller.offspring()
        assert {pid for pid, _ in alive(tree)} == left
        assert len(left) == 1
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert_gone(controller, tree)
