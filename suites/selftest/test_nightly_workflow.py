"""How .github/workflows/nightly.yml keeps the history, rehearsed with a remote in a folder: every
night adds a commit, and none takes an earlier one away.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from harness.evidence import Journal
from harness.history import History
from harness.report import write
from suites.unit.history.nights import exchange, run

pytestmark = pytest.mark.selftest

PROJECT = Path(__file__).parents[2]
KEEP = yaml.safe_load((PROJECT / ".github/workflows/nightly.yml").read_text())["jobs"]["keep"]
BRANCH = "nightly-history"
STEP_S = 60.0
SOMEBODY = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")


def shell(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """As the runner does it, in a folder that has what earlier steps have left."""
    return subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=STEP_S,
        check=False,
    )


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A repository whose main branch has one commit."""
    place = tmp_path / "remote.git"
    made = f"git init -q --bare -b main {place} && git init -q -b main seed && cd seed && "
    made += f"git {' '.join(SOMEBODY)} commit -q --allow-empty -m first && git push -q {place} main"
    ran = shell(made, tmp_path)
    assert ran.returncode == 0, ran.stderr
    return place


def night(tmp_path: Path, remote: Path, number: int, *, first: bool) -> int:
    """One run of the job `keep`, of which actions and installations are played; its exit code."""
    job = tmp_path / f"job-{number}-{first}"
    report = job / "night" / f"run-{number}"
    report.mkdir(parents=True)
    journal = Journal(report, report.name)
    for entry in run(exchange(), name=report.name, night=number):
        journal.write(entry.record, exchange=entry.exchange)
    journal.close()
    write(report)
    python = job / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    branch = "main" if first else BRANCH
    scripts = [f"git clone -q -b {branch} {remote} history"]
    asked = [s for s in KEEP["steps"] if "run" in s and "pip install" not in s["run"]]
    scripts += [s["run"] for s in asked if first or "first_night" not in s.get("if", "")]
    for script in scripts:
        if code := shell(script, job).returncode:
            return code
    assert sorted(file.name for file in (job / "site").iterdir()) == ["index.html", "trend.html"]
    return 0


def kept(remote: Path, tmp_path: Path) -> list[str]:
    """The runs in the history that the remote has now."""
    file = tmp_path / "now.sqlite"
    shown = f"git --git-dir {remote} show {BRANCH}:history.sqlite > {file}"
    assert shell(shown, tmp_path).returncode == 0
    return [one.run for one in History(file).runs()]


def test_every_night_adds_itself_and_takes_none_away(tmp_path: Path, remote: Path) -> None:
    assert night(tmp_path, remote, 1, first=True) == 0
    assert night(tmp_path, remote, 2, first=False) == 0
    assert kept(remote, tmp_path) == ["run-1", "run-2"]
    assert night(tmp_path, remote, 3, first=True) != 0  # asked for by mistake
    assert kept(remote, tmp_path) == ["run-1", "run-2"]


def test_without_a_history_a_night_is_red(tmp_path: Path, remote: Path) -> None:
    assert night(tmp_path, remote, 1, first=False) != 0


def test_an_acknowledgement_is_said_as_the_page_has_it(tmp_path: Path, remote: Path) -> None:
    assert night(tmp_path, remote, 1, first=True) == 0
    page = (PROJECT / "docs/nightly.md").read_text().partition("To say one:")[2]
    lines = itertools.takewhile(lambda line: line[:6].isspace() or not line, page.splitlines()[1:])
    script = "\n".join(lines).replace("RUN", "run-1").replace("python", sys.executable)
    begun = (
        f"git clone -q {remote} . && git config user.name s && git config user.email s@example.org"
    )
    (mine := tmp_path / "mine").mkdir()
    ran = shell(f"{begun}\n{script}", mine)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    shown = shell(f"git --git-dir {remote} show {BRANCH}:baseline.jsonl", tmp_path)
    assert '"run": "run-1"' in shown.stdout
