"""`python -m harness watch`: to the run's end, with the run's verdict."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.__main__ import main
from suites.unit.report.run import green, run
from suites.unit.report.test_write import journal


@pytest.mark.parametrize(
    ("entries", "status", "verdict"), [(green(), 0, "PASS"), (run(), 1, "ERROR")]
)
def test_the_runs_verdict_is_the_exit_status(
    entries, status: int, verdict: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = journal(tmp_path / "run-1", entries)
    assert main(["watch", str(folder)]) == status
    assert f"verdict: {verdict}" in capsys.readouterr().out


def test_a_run_that_died_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = journal(tmp_path / "run-1", run()[:20])
    assert main(["watch", str(folder)]) == 1
    said = capsys.readouterr().out
    assert "run run-1 died: it has no end and nobody writes it; the last was a " in said
    assert "while suites/hardware/test_mapping.py::test_channel_i_is_on_nic_i_mod_n[4] ran" in said


def test_the_newest_run_is_the_one_that_was_last_written_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = journal(tmp_path / "run-2", green())
    journal(tmp_path / "run-1", run())
    for file in older.iterdir():
        os.utime(file, (1, 1))
    assert main(["watch", "--reports", str(tmp_path)]) == 1
    assert f"report: {tmp_path / 'run-1'}" in capsys.readouterr().out


def test_without_a_run_there_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", "--reports", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"REPORT: no run in {tmp_path}; expected a run's")
