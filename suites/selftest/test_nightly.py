"""The nightly tests, one exchange a plan: measured, kept, and too few to compare."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.evidence import Compared, Judged
from harness.history import History
from suites.selftest.pytest_run import PROJECT, PytestRun

pytestmark = pytest.mark.selftest

RUN_S = 120.0
ROOT = ("-c", str(PROJECT / "tox.ini"), "--rootdir", str(PROJECT))


@pytest.mark.parametrize("option", ["--hil-exchanges", "--hil-soak"])
@pytest.mark.parametrize("number", ["0", "-1", "ten"])
def test_no_exchange_at_all_is_refused(option: str, number: str, tmp_path: Path) -> None:
    """Tests that compare nothing would be green."""
    run = PytestRun(tmp_path, (*ROOT, f"{option}={number}", "--collect-only"))
    assert run.finish(RUN_S) == pytest.ExitCode.USAGE_ERROR
    assert f"{option}: '{number}' exchanges, expected 1 or more" in run.said()


def test_a_short_night_is_measured_kept_and_too_short_to_compare(tmp_path: Path) -> None:
    history = tmp_path / "history.sqlite"
    asked = ("-m", "nightly", "-k", "512", "--hil-exchanges", "1", "--hil-history", str(history))
    night = PytestRun(tmp_path, (*ROOT, *asked, str(PROJECT / "suites" / "nightly")))
    assert night.finish(RUN_S) == 1, night.said()
    judged = [e.record for e in night.entries() if isinstance(e.record, Judged)]
    found = {(one.claim, one.outcome, one.klass) for one in judged if one.outcome != "PASS"}
    few = {(claim, "INCONCLUSIVE", "FEW_SAMPLES") for claim in ("regression", "scaling-law")}
    assert found == few, night.said()
    compared = [e.record for e in night.entries() if isinstance(e.record, Compared)]
    subjects = {one.subject for one in compared}
    assert subjects >= {"eth1", "eth2", "eth3", "eth4", "1 channel", "2 channels", "4 channels"}
    assert {one.klass for one in compared} == {"FEW_SAMPLES"}
    (kept,) = History(history).runs()
    assert kept.run == night.own_folder.name


@pytest.mark.parametrize(("marker", "nightly"), [("hardware", False), ("nightly", True)])
def test_a_night_is_measured_only_when_it_is_asked_for(marker: str, nightly: bool) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", marker],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=RUN_S,
    )
    assert ran.returncode == 0, ran.stdout
    assert ("suites/nightly/" in ran.stdout) is nightly
