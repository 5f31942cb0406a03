"""A tail reads what is new, whole lines only, of every worker's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import EvidenceError
from harness.evidence import Journal, RunEnded, SocketsSeen, TestStarted
from harness.live import Tail


def names(tail: Tail) -> list[str]:
    return [entry.record.test for entry in tail.look()]  # type: ignore[attr-defined]


def test_each_look_returns_what_is_new_of_all_workers(tmp_path: Path) -> None:
    tail, main = Tail(tmp_path), Journal(tmp_path, "run")
    main.write(TestStarted(test="a"))
    assert names(tail) == ["a"]
    assert names(tail) == []
    worker = Journal(tmp_path, "run", "gw0")
    worker.write(TestStarted(test="b"))
    main.write(TestStarted(test="c"))
    assert names(tail) == ["b", "c"]


def test_a_torn_line_waits_for_its_end(tmp_path: Path) -> None:
    Journal(tmp_path, "run").write(TestStarted(test="a"))
    file = tmp_path / "journal.jsonl"
    line = file.read_bytes()
    tail = Tail(tmp_path)
    for cut in range(1, len(line), 7):
        file.write_bytes(line + line[:cut])
        assert len(tail.look()) == (1 if cut == 1 else 0)
    file.write_bytes(line + line)
    assert names(tail) == ["a"]


def test_what_nobody_shows_is_not_even_decoded(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "run")
    journal.write(SocketsSeen(node="alpha", at_s=1.0))
    journal.write(RunEnded(exit_code=0))
    assert [type(entry.record) for entry in Tail(tmp_path).look()] == [RunEnded]


def test_a_line_that_is_no_entry_is_named(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_text('{"record":{"type":"TestStarted","tset":"a"}}\n')
    with pytest.raises(EvidenceError, match="a line is not an entry") as caught:
        Tail(tmp_path).look()
    assert caught.value.where == str(file)


def test_a_run_that_has_no_journal_yet_has_nothing_new(tmp_path: Path) -> None:
    assert Tail(tmp_path).look() == []
