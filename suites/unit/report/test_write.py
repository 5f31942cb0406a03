"""A run's folder: files made whole from the journal, again and again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import EvidenceError, ReportError
from harness.evidence import Entry, Journal
from harness.report import junit, replace_file, write
from harness.report.page import page
from suites.unit.report.run import green, run


def journal(folder: Path, entries: list[Entry]) -> Path:
    """The entries' records as a journal on disk."""
    writer = Journal(folder, "run-1")
    for entry in entries:
        writer.write(entry.record, exchange=entry.exchange)
    writer.close()
    return folder


def test_reports_lie_beside_the_journal_and_nothing_else_does(tmp_path: Path) -> None:
    entries = write(journal(tmp_path, green()))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "index.html",
        "journal.jsonl",
        "junit.xml",
        "verdict.json",
    ]
    assert (tmp_path / "junit.xml").read_text() == junit(entries)
    assert (tmp_path / "index.html").read_text() == page(entries)
    assert json.loads((tmp_path / "verdict.json").read_text())["outcome"] == "PASS"


def test_the_same_journal_gives_the_same_bytes(tmp_path: Path) -> None:
    journal(tmp_path, run())
    names = ("index.html", "junit.xml", "verdict.json")
    write(tmp_path)
    first = [(tmp_path / name).read_bytes() for name in names]
    write(tmp_path)
    assert [(tmp_path / name).read_bytes() for name in names] == first


def test_a_journal_torn_in_its_last_line_still_gives_reports(tmp_path: Path) -> None:
    file = journal(tmp_path, green()) / "journal.jsonl"
    file.write_bytes(file.read_bytes()[:-20])
    write(tmp_path)
    assert 'type="INTERRUPTED"' in (tmp_path / "junit.xml").read_text()


def test_a_folder_without_a_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no journal"):
        write(tmp_path)


def test_a_file_that_cannot_be_written_is_named_and_no_draft_stays(tmp_path: Path) -> None:
    target = tmp_path / "junit.xml"
    target.mkdir()
    with pytest.raises(ReportError, match="cannot write"):
        replace_file(target, "text")
    assert [path.name for path in tmp_path.iterdir()] == ["junit.xml"]
