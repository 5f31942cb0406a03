"""`python -m harness report`: the run's verdict is the exit status."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from harness.__main__ import main
from suites.unit.report.run import green, run
from suites.unit.report.test_write import journal


@pytest.mark.parametrize(
    ("entries", "status", "verdict"),
    [(green(), 0, "PASS"), (run(), 1, "ERROR"), (green()[:-1], 1, "ERROR")],
    ids=["green", "red", "cut"],
)
def test_the_runs_verdict_is_the_exit_status(
    entries, status: int, verdict: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = journal(tmp_path / "run-1", entries)
    assert main(["report", str(folder)]) == status
    assert f"verdict: {verdict}" in capsys.readouterr().out
    assert (folder / "junit.xml").exists()


def test_a_run_is_found_by_its_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal(tmp_path / "run-1", green())
    assert main(["report", "run-1", "--reports", str(tmp_path)]) == 0
    assert str(tmp_path / "run-1" / "junit.xml") in capsys.readouterr().out


def test_another_file_takes_the_profile_and_leaves_the_runs_own_rich(tmp_path: Path) -> None:
    folder, file = journal(tmp_path / "run-1", green()), tmp_path / "strict.xml"
    assert main(["report", str(folder), "--junit", str(file), "--junit-profile", "strict"]) == 0
    assert etree.parse(file).find(".//testcase").get("file") is None
    assert etree.parse(folder / "junit.xml").find(".//testcase").get("file") is not None


def test_without_another_file_the_profile_is_the_runs(tmp_path: Path) -> None:
    folder = journal(tmp_path / "run-1", green())
    main(["report", str(folder), "--junit-profile", "strict"])
    assert etree.parse(folder / "junit.xml").find(".//testcase/properties") is None


def test_an_unknown_run_is_one_sentence_that_names_the_latest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal(tmp_path / "run-1", green())
    assert main(["report", "run-2", "--reports", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("REPORT: no journal in run-2")
    assert "run-1" in said
