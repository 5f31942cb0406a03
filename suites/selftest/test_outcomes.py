"""What becomes of a test, in our JUnit file, in pytest's and in the exit code: always the same.

Small projects that use the plugin run in a pytest of their own, most of them against one testbed
that stays up. Bad ends of the run itself are here too: what must stop it before the first test, and
what turns all its tests into errors.
"""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest

from fixtures.outcome import Result
from harness.evidence import RunEnded
from harness.inventory import TestbedSpec
from harness.tcpx.cuda import why_not
from harness.testbed import up
from harness.verdict import Outcome
from suites.selftest.pytest_run import (
    PROJECT,
    Case,
    PytestRun,
    cases,
    categories,
    small_project,
)

pytestmark = pytest.mark.selftest

RUN_S = 90.0
WORKERS = ("0", "2")


@pytest.fixture(scope="module")
def nodes_file() -> Iterator[str]:
    """The inventory of a testbed that serves all runs."""
    with up(TestbedSpec(rails=1)) as testbed:
        yield str(testbed.inventory_file)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, PytestRun]]:
    """Runs a test file with some options to its end: exit code and what it left."""

    def to_the_end(test_file: str, *options: str, **how: object) -> tuple[int, PytestRun]:
        project = small_project(tmp_path / "project", test_file)
        one = PytestRun(tmp_path, (*project, *options), **how)  # type: ignore[arg-type]
        return one.finish(RUN_S), one

    return to_the_end


Run = Callable[..., tuple[int, PytestRun]]


# Every way in which a test may end

ENDS = """
import pytest

@pytest.fixture
def broken():
    raise OSError("no such thing")

@pytest.fixture
def broken_later():
    yield
    raise OSError("no such thing")

def test_passes(nodes):
    pass

def test_asserts(nodes):
    assert len(nodes) == 3

def test_raises(nodes):
    raise ValueError("wrong")

def test_has_a_broken_fixture(nodes, broken):
    pass

def test_has_a_fixture_that_breaks_later(nodes, broken_later):
    pass

@pytest.mark.requires(tier="two-node")
def test_needs_more(nodes):
    pass

def test_skips_itself(nodes):
    pytest.skip("no reason")

@pytest.mark.skip(reason="no reason")
def test_is_marked_skip(nodes):
    pass

@pytest.mark.skipif(True, reason="no reason")
def test_is_marked_skipif(nodes):
    pass

def test_needs_no_nodes_and_skips():
    pytest.skip("its own affair")

@pytest.mark.xfail(reason="known", strict=True)
def test_fails_as_expected(nodes):
    assert False

def test_says_that_it_fails(nodes):
    pytest.xfail("known")

@pytest.mark.xfail(reason="known", strict=True)
def test_passes_unexpectedly(nodes):
    pass
"""
UNPLANNED = Case("error", "UNPLANNED_SKIP", "ERROR UNPLANNED_SKIP: no reason. ")
BROKEN = Case("error", "OSError", "ERROR OSError: no such thing")
EXPECTED = {
    "test_passes": Case("", "", ""),
    "test_asserts": Case("failure", "AssertionError", "AssertionError: assert 2 == 3"),
    "test_raises": Case("failure", "ValueError", "ValueError: wrong"),
    "test_has_a_broken_fixture": BROKEN,
    "test_has_a_fixture_that_breaks_later": BROKEN,
    "test_needs_more": Case("skipped", "skipped", "needs tier two-node or better"),
    "test_skips_itself": UNPLANNED,
    "test_is_marked_skip": UNPLANNED,
    "test_is_marked_skipif": UNPLANNED,
    "test_needs_no_nodes_and_skips": Case("skipped", "skipped", "its own affair"),
    "test_fails_as_expected": Case("skipped", "skipped", "expected to fail: known"),
    "test_says_that_it_fails": Case("skipped", "skipped", "expected to fail: known"),
    "test_passes_unexpectedly": Case("failure", "FAIL", "[XPASS(strict)] known"),
}


@pytest.fixture(scope="module", params=WORKERS)
def ends(
    request: pytest.FixtureRequest, nodes_file: str, tmp_path_factory: pytest.TempPathFactory
) -> PytestRun:
    """A run in which tests end in all these ways."""
    folder = tmp_path_factory.mktemp("ends")
    project = small_project(folder / "project", ENDS)
    made = PytestRun(folder, (*project, "-n", request.param, "--hil-nodes", nodes_file))
    assert made.finish(RUN_S) == pytest.ExitCode.TESTS_FAILED, made.said()
    return made


@pytest.mark.parametrize("test", EXPECTED)
def test_an_end_is_told_for_what_it_is(ends: PytestRun, test: str) -> None:
    case, expected = ends.ours()[f"test_small.{test}"], EXPECTED[test]
    assert (case.category, case.klass) == (expected.category, expected.klass)
    assert case.message.startswith(expected.message)


def test_both_files_agree_on_every_end(ends: PytestRun) -> None:
    assert categories(cases(ends.theirs)) == categories(ends.ours())
    assert len(ends.ours()) == len(EXPECTED)


GREEN = """
import pytest

def test_passes(nodes):
    pass

@pytest.mark.requires(nics_per_node=64)
def test_needs_more(nodes):
    pass

@pytest.mark.xfail(reason="known", strict=True)
def test_fails_as_expected(nodes):
    assert False
"""


@pytest.mark.parametrize("workers", WORKERS)
def test_planned_skips_and_known_failures_leave_a_run_green(
    run: Run, nodes_file: str, workers: str
) -> None:
    code, made = run(GREEN, "-n", workers, "--hil-nodes", nodes_file)
    assert code == pytest.ExitCode.OK, made.said()
    assert sorted(categories(made.ours()).values()) == ["", "skipped", "skipped"]
    assert "3 tests: 2 SKIP, 1 PASS" in made.said()


PHASES = {"PASS": 0, "SKIP": 1, "FAIL": 2, "ERROR": 3}  # the order in which they win


@pytest.mark.parametrize(("first", "later"), list(product(PHASES, PHASES)))
def test_the_worse_of_two_phases_is_the_end_and_a_skip_is_no_pass(first: str, later: str) -> None:
    end = Result(Outcome[first], "first").and_then(Result(Outcome[later], "later"))
    assert end.outcome.name == max(first, later, key=PHASES.__getitem__)
    assert (end.klass == "later") == (PHASES[later] > PHASES[first])


# Tests that are tried again

TRIES = """
import pytest
from dataclasses import replace
from harness.plan import Fault

tried = {}

def again(name):
    tried[name] = tried.get(name, 0) + 1
    return tried[name]

@pytest.fixture
def breaks_once(request):
    if again(request.node.name) == 1:
        raise OSError("no such thing")

@pytest.mark.flaky(reruns=2)
def test_asks_for_tries(nodes):
    assert again("asks") == 2

@pytest.mark.flaky(reruns=1)
def test_breaks_in_setup(nodes, breaks_once):
    pass

@pytest.mark.flaky(reruns=1)
def test_never_green(nodes):
    raise ValueError(again("never"))

def test_of_the_command_line(nodes):
    assert again("line") == 2

@pytest.mark.flaky(reruns=1)
def test_catches_a_verdict_the_second_time(exchange, plan):
    small = replace(plan, size_bytes=1 << 20, channels=1)
    if again("catches") == 1:
        raise ValueError("first")
    try:
        exchange(replace(small, faults=(Fault(kind="flip", chunk=0, value=9),)))
    except Exception:
        pass

@pytest.mark.flaky(reruns=1)
def test_has_a_red_exchange_once(exchange, plan):
    small = replace(plan, size_bytes=1 << 20, channels=1)
    if again("red") == 1:
        exchange(replace(small, faults=(Fault(kind="flip", chunk=0, value=9),)))
    exchange(small)
"""


@pytest.mark.parametrize("workers", WORKERS)
def test_a_red_try_is_shown_and_only_the_test_itself_may_be_forgiven(
    run: Run, nodes_file: str, workers: str, tmp_path: Path
) -> None:
    """`--reruns` is nobody's leave to hide a red one."""
    options = ("-n", workers, "--hil-nodes", nodes_file, "--reruns", "1")
    code, made = run(TRIES, *options, variables=on_github(tmp_path))
    assert code == pytest.ExitCode.TESTS_FAILED, made.said()
    elements = {e.get("name"): e for e in ET.parse(made.own_folder / "junit.xml").iter("testcase")}
    assert {name: told(element) for name, element in elements.items()} == {
        "test_asks_for_tries": ["flakyFailure AssertionError"],
        "test_breaks_in_setup": ["flakyError OSError"],
        "test_never_green": ["failure ValueError", "rerunFailure ValueError"],
        "test_of_the_command_line": ["failure AssertionError"],
        "test_catches_a_verdict_the_second_time": ["error CAUGHT", "rerunFailure ValueError"],
        "test_has_a_red_exchange_once": ["flakyFailure BITFLIP"],
    }
    said = elements["test_of_the_command_line"].findtext("system-out", "").splitlines()
    assert said[-1] == "try 2: PASS"
    assert "FLAKY test_small.py::test_asks_for_tries\n  try 1: FAIL AssertionError" in made.said()
    assert "3 of them flaky" in made.said()
    annotated = [line for line in made.said().splitlines() if line.startswith("::")]
    assert len(annotated) == 3
    assert "title=AssertionError test_of_the_command_line::" in "".join(annotated)
    assert (tmp_path / "summary.md").read_text().startswith("## ERROR: hil testbed node-a+node-b")


def on_github(folder: Path) -> dict[str, str]:
    return {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}


def test_elsewhere_there_are_no_annotations(ends: PytestRun) -> None:
    assert "::error" not in ends.said()


def told(element: ET.Element) -> list[str]:
    """A case's results, with their classes."""
    return sorted(f"{e.tag} {e.get('type')}" for e in element if e.tag not in UNTOLD)


UNTOLD = ("properties", "system-out")


# A worker that dies

CRASH = """
import os

def test_before(nodes):
    pass

def test_takes_its_worker_along(nodes):
    os._exit(0)

def test_after(nodes):
    pass
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_workers_death_is_an_error_of_its_test(run: Run, nodes_file: str, workers: str) -> None:
    code, made = run(CRASH, "-n", workers, "--hil-nodes", nodes_file)
    assert code == pytest.ExitCode.TESTS_FAILED, made.said()
    found = made.ours()
    crashed = found.pop("test_small.test_takes_its_worker_along")
    assert (crashed.category, crashed.klass) == ("error", "WORKER")
    assert crashed.message.startswith("ERROR WORKER: worker 'gw")
    assert list(categories(found).values()) == ["", ""]
    assert categories(cases(made.theirs)) == categories(made.ours())


# What stops a run before its first test

PASSES = "def test_passes(nodes):\n    pass\n"
BAD_TOML = """
teir = "two-node"
[[node]]
address = "10.0.0.1"
nics = ["eth1"]
[[node]]
address = "10.0.0.2"
nics = ["eth1", "eth1"]
port = "ssh"
"""


@pytest.mark.parametrize("workers", WORKERS)
def test_a_bad_inventory_stops_a_run_with_all_that_is_wrong(
    run: Run, tmp_path: Path, workers: str
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(BAD_TOML)
    code, made = run(PASSES, "-n", workers, "--hil-nodes", str(bad))
    said = made.said()
    assert code == pytest.ExitCode.USAGE_ERROR, said
    assert said.startswith("ERROR: INVENTORY: ")
    for problem in ("teir: unknown key, did you mean 'tier'?", "'eth1' twice", "node[1].port: 'ss"):
        assert problem in said
    assert "Traceback" not in said
    assert not made.reports.exists()


def test_a_tier_that_is_too_weak_stops_a_run(run: Run) -> None:
    code, made = run(PASSES, "--hil-tier-min", "two-node")
    assert code == pytest.ExitCode.USAGE_ERROR, made.said()
    assert made.said().startswith("ERROR: INVENTORY: ")
    assert (
        "testbed.toml is of tier testbed; expected two-node or stronger (--hil-tier-min). "
        "Name an inventory of real machines with --hil-nodes" in made.said()
    )
    assert not made.reports.exists()


def test_a_file_that_misleads_pytest_is_named_with_what_to_write(tmp_path: Path) -> None:
    """Of two words it takes the second for a place of tests, before it knows our options."""
    small_project(tmp_path / "project", PASSES)
    far = tmp_path / "far.toml"
    far.write_text("[testbed]\n")
    command = [sys.executable, "-m", "pytest", "-p", "fixtures.plugin", "-p", "no:cacheprovider"]

    def start(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *options],
            cwd=tmp_path / "project",
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )

    kept = tmp_path / "kept"
    kept.mkdir()
    places = dict.fromkeys(("--hil-nodes", "--hil-history", "--hil-plugin"), far)
    places["--hil-reports"] = kept
    for option, place in places.items():
        ran = start(option, str(place))
        assert ran.returncode == pytest.ExitCode.USAGE_ERROR, ran.stdout
        assert ran.stderr.startswith(f"ERROR: PLAN: pytest took {tmp_path} for the project's")
        assert f"Write it in one word: {option}={place}" in ran.stderr
    assert start("--collect-only", f"--hil-nodes={far}").returncode == 0


# What turns all tests into errors

WITHOUT_SSHD = (
    "unshare",
    "-m",
    "--propagation",
    "private",
    "sh",
    "-c",
    'mount --bind /dev/null $(command -v sshd) && exec "$0" "$@"',
)
READ_ONLY = (*WITHOUT_SSHD[:-1], 'mount -t tmpfs -o ro none ../reports && exec "$0" "$@"')
TWO = "def test_one(nodes):\n    pass\n\ndef test_two(nodes):\n    pass\n"


@pytest.mark.parametrize("workers", WORKERS)
def test_without_a_testbed_every_test_is_an_error(run: Run, workers: str) -> None:
    code, made = run(TWO, "-n", workers, wrapper=WITHOUT_SSHD)
    assert_all_are_errors(code, made, "ERROR INFRA_TESTBED the testbed cannot be built: sshd: ")


@pytest.mark.parametrize("workers", WORKERS)
def test_an_impossible_testbed_makes_every_test_an_error(
    run: Run, tmp_path: Path, workers: str
) -> None:
    spec = tmp_path / "spec.toml"
    spec.write_text("[testbed]\nrate_gbit_s = 100\n")
    code, made = run(TWO, "-n", workers, "--hil-nodes", str(spec))
    assert_all_are_errors(code, made, "ERROR INFRA_TESTBED testbed: rate_gbit_s is 100.0, ")


def test_device_memory_without_a_gpu_is_an_error_and_no_run_in_host_memory(run: Run) -> None:
    code, made = run(TWO, "--hil-memory", "cuda", variables={"CUDA_VISIBLE_DEVICES": ""})
    message = "ERROR INFRA_TESTBED a testbed of tier testbed-gpu cannot be built: "
    assert_all_are_errors(code, made, f"{message}this machine has no GPU")


ON_A_GPU = """
import pytest
from harness.plan import Plan

@pytest.mark.hardware
def test_one(exchange):
    exchange(Plan(memory="cuda", channels=1, size_bytes=1 << 20))
"""


@pytest.mark.skipif(not why_not(), reason="the nodes have a GPU")
def test_a_plan_of_device_memory_on_nodes_without_cuda_is_an_error(
    run: Run, nodes_file: str
) -> None:
    _, made = run(ON_A_GPU, "--hil-nodes", nodes_file)
    (case,) = made.ours().values()
    assert (case.category, case.klass) == ("error", "NO_CUDA")
    assert "node-a" in case.message
    assert "CuPy cannot be loaded" in case.message


def assert_all_are_errors(code: int, made: PytestRun, message: str) -> None:
    assert code == pytest.ExitCode.TESTS_FAILED, made.said()
    assert len(made.ours()) == 2
    for case in made.ours().values():
        assert (case.category, case.klass) == ("error", "INFRA_TESTBED")
        assert case.message.startswith(message)
    assert categories(cases(made.theirs)) == categories(made.ours())
    assert RunEnded(exit_code=1) in [entry.record for entry in made.entries()]


@pytest.mark.parametrize("workers", WORKERS)
def test_a_reports_folder_that_cannot_be_written_is_named(
    run: Run, tmp_path: Path, workers: str
) -> None:
    (tmp_path / "reports").mkdir()
    code, made = run(TWO, "-n", workers, wrapper=READ_ONLY)
    assert code == pytest.ExitCode.TESTS_FAILED, made.said()
    assert "INTERNALERROR" not in made.said()
    assert os.listdir(made.reports) == []
    said = [(case.category, case.message) for case in cases(made.theirs).values()]
    assert len(said) == 2
    for category, message in said:
        assert category == "error"
        assert f"EVIDENCE: cannot write {made.reports}/" in message
        assert "Read-only file system. Name a folder that can be written" in message
