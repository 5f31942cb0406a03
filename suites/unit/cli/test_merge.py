"""`python -m harness merge`: one file, and the verdict as exit status."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from harness.__main__ import main
from harness.evidence import Entry, Journal
from suites.unit.report.run import green, run
from suites.unit.report.shards import tried


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not on the CI system that may run this test."""
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)


def written(reports: Path, name: str, entries: list[Entry]) -> Path:
    journal = Journal(reports / name, name)
    for entry in entries:
        journal.write(entry.record, exchange=entry.exchange)
    journal.close()
    return reports / name


@pytest.mark.parametrize(
    ("second", "status"), [(tried("PASS"), 0), (run(), 1), (tried("PASS")[:-1], 1)]
)
def test_all_shards_in_one_file_and_the_worst_is_the_status(
    second: list[Entry], status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = written(tmp_path / "one", "a", green())
    written(tmp_path / "reports", "b", second)
    out = tmp_path / "junit.xml"
    assert (
        main(["merge", str(first), "b", "--reports", str(tmp_path / "reports"), "--out", str(out)])
        == status
    )
    said = capsys.readouterr().out
    assert said.startswith("2 runs: a, b\n")
    assert said.endswith(f"report: {out}\n")
    assert "::error" not in said
    assert etree.parse(out).getroot().get("tests") == str(
        len(etree.parse(out).findall(".//testcase"))
    )


def test_strict_has_what_the_schema_allows_and_journals_may_be_named(tmp_path: Path) -> None:
    folder, out = written(tmp_path, "a", run()), tmp_path / "strict.xml"
    main(["merge", str(folder / "journal.jsonl"), "--out", str(out), "--junit-profile", "strict"])
    assert len(etree.parse(out).findall(".//testcase")) == 5
    assert etree.parse(out).find(".//testcase/properties") is None


def test_on_github_the_summary_is_of_all_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    shards = [str(written(tmp_path, "a", run())), str(written(tmp_path, "b", tried("FAIL")))]
    assert main(["merge", *shards, "--out", str(tmp_path / "junit.xml")]) == 1
    assert capsys.readouterr().out.count("::error ") == 4
    assert (tmp_path / "summary.md").read_text().count("\n| FAIL") == 2


def test_a_run_that_is_not_there_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["merge", "nothing", "--reports", str(tmp_path), "--out", str(tmp_path / "x")]) == 2
    assert capsys.readouterr().err.startswith("REPORT: no journal in nothing")
