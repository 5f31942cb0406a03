"""The history's file: recognised before it is used, and never touched when it cannot be."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from harness.errors import HistoryError
from harness.history.database import VERSION, reading, writing

PROJECT = Path(__file__).parents[3]


def use(path: Path) -> None:
    """Write first: that is where something could be lost."""
    with writing(path) as database:
        database.execute("DELETE FROM runs")


def fail_halfway(path: Path) -> None:
    with writing(path) as database:
        database.execute("INSERT INTO testbeds VALUES ('f', 't', '{}')")
        database.execute("SELECT * FROM nowhere")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "deep" / "history.sqlite"
    use(path)
    return path


def refused(path: Path, says: str) -> None:
    """Neither reading nor writing goes on, and not a byte is changed."""
    before = path.read_bytes()
    for door in (reading, writing):
        with pytest.raises(HistoryError, match=says) as told, door(path):
            raise AssertionError("the door is open")
        assert str(path) in str(told.value)
    assert path.read_bytes() == before
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def altered(path: Path, statement: str) -> Path:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)
    return path


def test_a_new_file_is_one_plain_file(file: Path) -> None:
    assert [found.name for found in file.parent.iterdir()] == ["history.sqlite"]
    with reading(file) as database:
        assert database.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_a_file_of_a_newer_version_is_refused(file: Path) -> None:
    refused(altered(file, f"PRAGMA user_version = {VERSION + 1}"), r"version 2.*version 1")


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    refused(altered(tmp_path / "theirs.sqlite", "CREATE TABLE theirs (a)"), "somebody else's")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    path.write_bytes(b"a letter to my aunt\n" * 500)
    refused(path, "not a history")


@pytest.mark.parametrize("at", [4096 + 2, 3 * 4096 + 3, 5 * 4096])
def test_a_damaged_page_is_named_and_nothing_is_lost(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at : at + 400] = os.urandom(400)
    file.write_bytes(content)
    refused(file, "damaged")


def test_a_file_that_was_cut_off_is_named(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: 2 * 4096])
    refused(file, "damaged")


def test_a_file_that_is_not_there_is_not_made_by_reading(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with pytest.raises(HistoryError, match=r"no history in .*import"), reading(path):
        pass
    assert not path.exists()


def test_an_empty_file_is_a_new_history_to_a_writer_and_none_to_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    path.touch()
    with pytest.raises(HistoryError, match="empty file"), reading(path):
        pass
    use(path)
    with reading(path):
        pass


def test_what_fails_halfway_is_undone(file: Path) -> None:
    with pytest.raises(HistoryError, match="nowhere"):
        fail_halfway(file)
    with reading(file) as database:
        assert database.execute("SELECT count(*) FROM testbeds").fetchone() == (0,)


def test_a_new_file_that_fails_halfway_is_still_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with pytest.raises(ZeroDivisionError), writing(path):
        raise ZeroDivisionError
    use(path)


def test_a_writer_waits_no_longer_than_its_deadline(file: Path) -> None:
    with writing(file):
        with pytest.raises(HistoryError, match=r"another process's hands for 0\.1 s"):
            with writing(file, wait_s=0.1):
                pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HistoryError, match=r"cannot use the history in .*file/history"):
        use(tmp_path / "file" / "history.sqlite")


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="cannot use the history"):
        use(tmp_path)


def test_a_name_with_marks_of_a_uri_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=memory#b %41.sqlite"
    use(path)
    assert path.exists()


KILLED = """
import os, sys
from pathlib import Path
from harness.history.database import writing
with writing(Path(sys.argv[1])) as database:
    database.execute("PRAGMA cache_size = 1")
    database.execute("PRAGMA cache_spill = 1")
    database.execute("UPDATE testbeds SET parts = parts || 'x'")
    os._exit(9)
"""


def test_what_a_killed_writer_left_half_done_is_undone_by_the_next_reader(file: Path) -> None:
    """It had written some of its pages, more than it was let to hold."""
    with writing(file) as database:
        rows = [(f"f{n}", "t", "p" * 2000) for n in range(500)]
        database.executemany("INSERT INTO testbeds VALUES (?, ?, ?)", rows)
    before = file.read_bytes()
    killed = subprocess.run([sys.executable, "-c", KILLED, file], cwd=PROJECT, check=False)
    assert killed.returncode == 9
    assert file.read_bytes() != before
    with reading(file) as database:
        (longest,) = database.execute("SELECT max(length(parts)) FROM testbeds").fetchone()
    assert longest == 2000
    assert [found.name for found in file.parent.iterdir()] == [file.name]
