"""The history's file: opened, recognised, and written by one process at a time.

A file that is not ours, is newer than this version, or is damaged is named and never touched. It
is one plain file without a write-ahead log, so that it can be copied and lie on a network's file
system. A writer takes the lock before it reads, so that two that write at once wait for each other,
with a deadline, and neither is told to begin again.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from harness.errors import HistoryError

APPLICATION = 0x74637078  # "tcpx", in the file's header
VERSION = 1  # of the tables; a newer file is refused
WAIT_S = 30.0
BEGIN_AGAIN = (
    "Move it aside and make a new one: python -m harness history import FOLDER... of the runs' "
    "folders"
)


@contextlib.contextmanager
def reading(path: Path, *, wait_s: float = WAIT_S) -> Iterator[sqlite3.Connection]:
    """The file as it is at this moment; it must be there."""
    if not path.is_file():
        raise HistoryError(
            f"there is no history in {path}",
            fix="Name it with --history FILE; or make one of runs' folders with python -m harness "
            "history import, or of new runs with pytest --hil-history FILE",
        )
    with _ours(path, "rw", wait_s) as database:  # also to undo what a killed writer left half done
        database.execute("BEGIN")
        if not _is_known(database, path):
            raise HistoryError(f"the history in {path} is an empty file", fix=BEGIN_AGAIN)
        yield database


@contextlib.contextmanager
def writing(path: Path, *, wait_s: float = WAIT_S) -> Iterator[sqlite3.Connection]:
    """The file, made where there is none, in one transaction that an exception undoes."""
    with contextlib.suppress(OSError):  # sqlite says why it cannot open the file
        path.parent.mkdir(parents=True, exist_ok=True)
    with _ours(path, "rwc", wait_s) as database:
        database.execute("PRAGMA foreign_keys = ON")
        if not _pragma(database, "schema_version"):
            database.execute("PRAGMA auto_vacuum = FULL")  # what is removed gives its room back
        database.execute("BEGIN IMMEDIATE")
        try:
            if not _is_known(database, path):
                _make(database)
            yield database
        except BaseException:
            database.rollback()
            raise
        database.commit()


@contextlib.contextmanager
def _ours(path: Path, mode: str, wait_s: float) -> Iterator[sqlite3.Connection]:
    """A connection whose exceptions are HistoryErrors."""
    try:
        where = f"{path.absolute().as_uri()}?mode={mode}"
        database = sqlite3.connect(where, uri=True, timeout=wait_s, isolation_level=None)
        with contextlib.closing(database):
            yield database
    except sqlite3.Error as error:
        raise _told(error, path, wait_s) from error


def _told(error: sqlite3.Error, path: Path, wait_s: float) -> HistoryError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return HistoryError(
            f"{path} was in another process's hands for {wait_s:g} s",
            fix="Try again when no other run ends and nobody imports",
        )
    if code == sqlite3.SQLITE_NOTADB:
        return HistoryError(f"{path} is not a history, and was left as it is", fix=BEGIN_AGAIN)
    if code == sqlite3.SQLITE_CORRUPT:
        return _damaged(path, str(error))
    return HistoryError(f"cannot use the history in {path}: {error}")


def _damaged(path: Path, what: str) -> HistoryError:
    return HistoryError(
        f"the history in {path} is damaged, and was left as it is: {what}", fix=BEGIN_AGAIN
    )


def _is_known(database: sqlite3.Connection, path: Path) -> bool:
    """Whether the tables are there; a file with other tables, newer or damaged ones is refused."""
    if not _pragma(database, "schema_version"):
        return False
    if _pragma(database, "application_id") != APPLICATION:
        raise HistoryError(f"{path} is somebody else's database, and was left as it is")
    if (version := _pragma(database, "user_version")) != VERSION:
        raise HistoryError(
            f"the history in {path} has tables of version {version}, and was left as it is",
            expected=f"version {VERSION}",
            fix="Use the version of the harness that wrote it",
        )
    if (what := _pragma(database, "quick_check(1)")) != "ok":
        raise _damaged(path, str(what))
    return True


def _pragma(database: sqlite3.Connection, name: str) -> object:
    return database.execute(f"PRAGMA {name}").fetchone()[0]


def _make(database: sqlite3.Connection) -> None:
    """The tables, in the transaction that is open (executescript would end it)."""
    script = files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
    lines = (line.partition("--")[0] for line in script.splitlines())
    for statement in filter(str.strip, "\n".join(lines).split(";")):
        database.execute(statement)
    database.execute(f"PRAGMA application_id = {APPLICATION}")
    database.execute(f"PRAGMA user_version = {VERSION}")
