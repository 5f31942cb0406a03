"""The journal keeps everything that was written, in order, whatever becomes of its writer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import EvidenceError
from harness.evidence import Journal, Note, RunEnded, is_written, read_run
from harness.evidence import journal as journal_module
from harness.evidence.journal import DURABLE
from harness.evidence.records import Record

RUN_S = 20.0
WRITER = """
import os, sys
from pathlib import Path
from harness.evidence import Journal, Note
journal = Journal(Path(sys.argv[1]), "run")
for number in range(10):
    journal.write(Note(text=str(number)))
os.kill(os.getpid(), 9)
"""


def texts(folder: Path) -> list[str]:
    return [entry.record.text for entry in read_run(folder)]


def line(worker: str, seq: int, wall_s: float, text: str) -> str:
    record = {"type": "Note", "text": text}
    where = {"run": "r", "worker": worker, "seq": seq, "exchange": ""}
    return json.dumps({**where, "at_s": 0.0, "wall_s": wall_s, "record": record}) + "\n"


@pytest.fixture
def fsynced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Descriptors in the order in which they were forced to disk."""
    seen: list[int] = []
    real = os.fsync

    def fsync(file: int) -> None:
        seen.append(file)
        real(file)

    monkeypatch.setattr(journal_module.os, "fsync", fsync)
    return seen


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "run", "run-1", worker="gw0")
    written = [journal.write(Note(text="a")), journal.write(Note(text="b"), exchange="gw0-1")]
    journal.close()
    read = read_run(tmp_path / "deep" / "run")
    assert [entry.record for entry in read] == [entry.record for entry in written]
    assert [(e.run, e.worker, e.seq, e.exchange) for e in read] == [
        ("run-1", "gw0", 0, ""),
        ("run-1", "gw0", 1, "gw0-1"),
    ]
    assert read[0].wall_s == pytest.approx(written[0].wall_s, abs=1e-6)
    assert read[0].at_s == pytest.approx(written[0].at_s, abs=1e-6)


def test_a_line_is_in_the_file_when_write_returns(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "run")
    journal.write(Note(text="a"))
    assert texts(tmp_path) == ["a"]
    journal.close()


def test_a_killed_writer_loses_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    assert subprocess.run(command, timeout=RUN_S, check=False).returncode == -signal.SIGKILL
    assert texts(tmp_path) == [str(number) for number in range(10)]


def test_a_run_that_died_is_told_from_one_that_is_quiet(tmp_path: Path) -> None:
    assert not is_written(tmp_path)
    journal = Journal(tmp_path, "run")
    assert is_written(tmp_path)
    assert is_written(tmp_path), "looking takes nothing away"
    journal.close()
    assert not is_written(tmp_path)
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    subprocess.run(command, timeout=RUN_S, check=False)
    assert not is_written(tmp_path), "the kernel frees what a killed writer held"


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    whole = line("main", 0, 1.0, "whole")
    for torn in ("{", whole[:-1], whole[: len(whole) // 2]):
        (tmp_path / "journal.jsonl").write_text(whole + torn)
        assert texts(tmp_path) == ["whole"]


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "",
        "7",
        "[]",
        "null",
        '{"record": 1}',
        '{"record": {"type": "Gossip"}}',
        line("main", 0, 1.0, "x").replace('"seq"', '"number"').strip(),
    ],
)
def test_a_broken_line_before_the_last_is_named(tmp_path: Path, broken: str) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_text(line("main", 0, 1.0, "x") + broken + "\n" + line("main", 1, 2.0, "y"))
    with pytest.raises(EvidenceError) as caught:
        read_run(tmp_path)
    assert str(caught.value).startswith(f"{file}: line 2 is not an entry: ")


def test_workers_are_merged_by_time_then_worker_then_number(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text(
        line("main", 0, 1.0, "first") + line("main", 1, 3.0, "main-1") + line("main", 2, 3.0, "2")
    )
    (tmp_path / "journal-gw1.jsonl").write_text(line("gw1", 0, 3.0, "gw1"))
    (tmp_path / "journal-gw0.jsonl").write_text(
        line("gw0", 0, 2.0, "second") + line("gw0", 1, 3.0, "gw0")
    )
    assert texts(tmp_path) == ["first", "second", "gw0", "gw1", "main-1", "2"]


def test_a_journal_is_only_ever_appended_to(tmp_path: Path) -> None:
    for text in ("a", "b"):
        journal = Journal(tmp_path, "run")
        journal.write(Note(text=text))
        journal.close()
    assert texts(tmp_path) == ["a", "b"]


def test_what_matters_is_on_disk_at_once(tmp_path: Path, fsynced: list[int]) -> None:
    journal = Journal(tmp_path, "run")
    journal.write(Note(text="a sample"))
    assert len(fsynced) == 0
    journal.write(RunEnded(exit_code=0))
    assert len(fsynced) == 1
    journal.write(Note(text="the last words"))
    journal.close()
    assert len(fsynced) == 2
    journal.close()
    assert len(fsynced) == 2


def test_plans_and_ends_and_verdicts_are_what_matters() -> None:
    assert {kind.__name__ for kind in DURABLE} == {
        "RunStarted",
        "TestsPlanned",
        "TestFinished",
        "ExchangePlanned",
        "ExchangeEnded",
        "ClaimMade",
        "Judged",
        "PreflightEnded",
        "RunEnded",
    }
    assert all(issubclass(kind, Record) for kind in DURABLE)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EvidenceError) as caught:
        Journal(tmp_path / "file" / "run", "run")
    assert f"cannot write {tmp_path}/file" in str(caught.value)
    assert "--hil-reports" in str(caught.value)


def test_a_journal_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(EvidenceError, match=r"journal\.jsonl: Is a directory"):
        Journal(tmp_path, "run")


def test_a_lost_file_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "run")
    journal.close()
    with pytest.raises(EvidenceError, match=f"cannot write the journal in {tmp_path}"):
        journal.write(Note(text="too late"))


def test_no_journal_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=f"no journal in {tmp_path}"):
        read_run(tmp_path)
