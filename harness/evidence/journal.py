"""The journal: append-only JSON lines, one file a worker, read back in one order.

`journal.jsonl` is the main process's, `journal-<worker>.jsonl` an xdist worker's. A line is written
with one write(2), so a killed writer leaves at most one torn last line, which reading reports and
skips; everything before it stands. fsync comes at the points that matter (a plan, an end, a
verdict), not on every sample. A writer holds a lock on its file, which the kernel frees with it:
so a run that died is told from one that is quiet. Order is (wall time, worker, seq): the wall clock
of one machine, the controller's, since only the controller writes journals.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import EvidenceError
from harness.evidence.records import (
    ClaimMade,
    ExchangeEnded,
    ExchangePlanned,
    Judged,
    PreflightEnded,
    Record,
    RunEnded,
    RunStarted,
    TestFinished,
    TestsPlanned,
    decode,
    encode,
)

MAIN = "main"
MAIN_FILE = "journal.jsonl"
DURABLE = (
    RunStarted,
    TestsPlanned,
    TestFinished,
    ExchangePlanned,
    ExchangeEnded,
    ClaimMade,
    Judged,
    PreflightEnded,
    RunEnded,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A record with where and when it was written. `exchange` is '' outside of one."""

    run: str
    worker: str
    seq: int
    at_s: float  # the controller's monotonic clock
    wall_s: float
    exchange: str
    record: Record


class Journal:
    """One writer's file. Records of roles go through it too."""

    def __init__(self, folder: Path, run: str, worker: str = MAIN) -> None:
        self.folder, self.run, self.worker = folder, run, worker
        name = MAIN_FILE if worker == MAIN else f"journal-{worker}.jsonl"
        self._seq = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._file = os.open(folder / name, flags, 0o644)
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(self._file, fcntl.LOCK_SH)
        except OSError as error:
            raise EvidenceError(
                f"cannot write {error.filename}: {error.strerror}",
                fix="Name a folder that can be written with --hil-reports",
            ) from error

    def write(self, record: Record, *, exchange: str = "") -> Entry:
        """Append one record; what matters is on disk when this returns."""
        entry = Entry(
            run=self.run,
            worker=self.worker,
            seq=self._seq,
            at_s=time.monotonic(),
            wall_s=time.time(),
            exchange=exchange,
            record=record,
        )
        self._seq += 1
        try:
            line = _line(entry)
            if (written := os.write(self._file, line)) < len(line):
                os.ftruncate(self._file, os.fstat(self._file).st_size - written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if isinstance(record, DURABLE):
                os.fsync(self._file)
        except OSError as error:
            raise EvidenceError(f"cannot write the journal in {self.folder}: {error}") from error
        return entry

    def close(self) -> None:
        if self._file >= 0:
            os.fsync(self._file)
            os.close(self._file)
            self._file = -1


def _line(entry: Entry) -> bytes:
    body = {
        "run": entry.run,
        "worker": entry.worker,
        "seq": entry.seq,
        "at_s": round(entry.at_s, 6),
        "wall_s": round(entry.wall_s, 6),
        "exchange": entry.exchange,
        "record": encode(entry.record),
    }
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def read_run(folder: Path) -> list[Entry]:
    """Every entry of a run, all workers', in one order. Torn last lines are left out."""
    files = sorted(folder.glob("journal*.jsonl"))
    if not files:
        raise EvidenceError(
            f"no journal in {folder}", expected="journal.jsonl", fix="Name a run's folder"
        )
    entries = [entry for file in files for entry in read_journal(file)]
    return sorted(entries, key=lambda e: (e.wall_s, e.worker, e.seq))


def read_journal(file: Path) -> list[Entry]:
    """Every entry of one journal, in the order of its lines."""
    try:
        return list(_entries(file))
    except OSError as error:
        raise EvidenceError(f"cannot be read: {error.strerror}", where=str(file)) from error


def _entries(file: Path) -> Iterator[Entry]:
    lines = file.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], 1):  # what follows the last newline is torn
        try:
            yield entry_of(line)
        except EvidenceError as error:
            raise EvidenceError(f"line {number} {error.seen}", where=str(file)) from error


def entry_of(line: bytes) -> Entry:
    """The entry that a whole line holds."""
    try:
        body = json.loads(line)
        record = decode(body.pop("record"))
        return Entry(**body, record=record)
    except (ValueError, TypeError, KeyError, AttributeError, EvidenceError) as error:
        raise EvidenceError(f"is not an entry: {error}") from error


def is_written(folder: Path) -> bool:
    """Whether the run's main process still has its journal open: it has not ended, nor died."""
    try:
        with (folder / MAIN_FILE).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # not there, or a file system without locks
        return False
    return False
