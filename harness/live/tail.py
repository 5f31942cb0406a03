"""The journals of a run as they grow: each look returns the entries that are new.

A line that has no end yet is kept until it has one. Kinds of records that nobody shows are not even
decoded: looking must cost next to nothing beside a run that is being measured.
"""

from __future__ import annotations

from pathlib import Path

from harness.errors import EvidenceError
from harness.evidence import (
    Entry,
    ExchangeEnded,
    ExchangePlanned,
    IterationDone,
    Judged,
    LeaseReleased,
    LeaseTaken,
    NicCounters,
    Progress,
    RoleExited,
    RoleReady,
    RoleStarted,
    RunEnded,
    RunStarted,
    TestFinished,
    TestsPlanned,
    TestStarted,
    entry_of,
)

SHOWN = frozenset(
    kind.__name__.encode()
    for kind in (
        RunStarted,
        TestsPlanned,
        TestStarted,
        TestFinished,
        RunEnded,
        ExchangePlanned,
        LeaseTaken,
        RoleStarted,
        RoleReady,
        NicCounters,
        Progress,
        IterationDone,
        RoleExited,
        LeaseReleased,
        ExchangeEnded,
        Judged,
    )
)
KIND = b'"record":{"type":"'
MOST_BYTES = 1 << 24  # at one look, of one file: a long run is caught up with in steps


class Tail:
    """All journals in a run's folder, a worker's that appears later too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, int] = {}
        self._torn: dict[Path, bytes] = {}

    def look(self) -> list[Entry]:
        """What was written since the last look, in the order of time."""
        found = [entry for file in self.folder.glob("journal*.jsonl") for entry in self._new(file)]
        return sorted(found, key=lambda e: (e.wall_s, e.worker, e.seq))

    def _new(self, file: Path) -> list[Entry]:
        before = self._read.get(file, 0)
        try:
            with file.open("rb", buffering=0) as journal:
                journal.seek(before)
                data = journal.read(MOST_BYTES)
        except OSError as error:
            raise EvidenceError(f"cannot be read: {error.strerror}", where=str(file)) from error
        self._read[file] = before + len(data)
        *whole, torn = (self._torn.get(file, b"") + data).split(b"\n")
        self._torn[file] = torn
        try:
            return [entry_of(line) for line in whole if _kind(line) in SHOWN]
        except EvidenceError as error:
            raise EvidenceError(f"a line {error.seen}", where=str(file)) from error


def _kind(line: bytes) -> bytes:
    """The record's type, read off the line's text; a line that is no entry has none."""
    return line.partition(KIND)[2].partition(b'"')[0]
