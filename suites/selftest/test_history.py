"""A run that ends keeps itself in the history that it is given, once; where that cannot be, it says
so and is red."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.history import History
from suites.selftest.pytest_run import PytestRun, small_project

pytestmark = pytest.mark.selftest

MEASURED = """
from dataclasses import replace
import pytest

@pytest.mark.parametrize("turn", range(2))
def test_moves(exchange, plan, turn):
    exchange(replace(plan, seed=turn))
"""
UNMEASURED = """
def test_looks(inventory):
    assert inventory.nodes
"""
RUN_S = 120.0


def test_a_run_of_two_workers_is_kept_once(tmp_path: Path) -> None:
    file = tmp_path / "kept" / "history.sqlite"
    project = small_project(tmp_path / "project", MEASURED)
    options = ("-n", "2", "--hil-history", str(file), "--hil-revision", "v7-3-gabc")
    run = PytestRun(tmp_path, (*project, *options))
    assert run.finish(RUN_S) == 0, run.said()
    assert f"history: 2 exchanges taken, kept in {file}" in run.said()
    (kept,) = History(file).runs()
    assert (kept.run, kept.outcome, kept.taken) == (run.own_folder.name, "PASS", 2)
    assert kept.revision["revision"] == "v7-3-gabc"
    assert {len(one.nights[0].samples) for one in History(file).series()} == {2}
    subjects = {one.key.subject for one in History(file).series()}
    assert subjects == {"4 channels", "eth1", "eth2", "eth3", "eth4"}


def test_a_history_that_cannot_be_used_makes_a_green_run_red(tmp_path: Path) -> None:
    file, nodes = tmp_path / "history.sqlite", tmp_path / "nodes.txt"
    file.write_text("no database at all\n" * 100)
    nodes.write_text("192.0.2.1\n192.0.2.2\n")
    before = file.read_bytes()
    project = small_project(tmp_path / "project", UNMEASURED)
    options = (f"--hil-nodes={nodes}", "--hil-history", str(file))
    run = PytestRun(tmp_path, (*project, *options))
    assert run.finish(RUN_S) == 1, run.said()
    assert f"HISTORY: {file} is not a history, and was left as it is" in run.said()
    assert "1 passed" in run.said()
    assert file.read_bytes() == before


def test_the_environment_may_say_the_revision_and_no_option_means_no_history(
    tmp_path: Path,
) -> None:
    nodes = tmp_path / "nodes.txt"
    nodes.write_text("192.0.2.1\n192.0.2.2\n")
    project = small_project(tmp_path / "project", UNMEASURED)
    variables = {"HIL_REVISION": "v8"}
    run = PytestRun(tmp_path, (*project, f"--hil-nodes={nodes}"), variables)
    assert run.finish(RUN_S) == 0, run.said()
    (started,) = (e.record for e in run.entries() if type(e.record).__name__ == "RunStarted")
    assert started.options["revision"] == "v8"
    assert "history" not in run.said()
