"""The history: runs go in whole, series come out.

Every call is a transaction of its own and holds the file no longer than that. Keyed by what it
keeps: a run that is added again replaces itself, so that adding twice is adding once.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import HistoryError
from harness.history.database import WAIT_S, reading, writing
from harness.history.fingerprint import Fingerprint
from harness.history.run import Run
from harness.history.series import Key, Night, Series

LIST = "See python -m harness history list"
FORGET = (
    "DELETE FROM series WHERE series NOT IN (SELECT series FROM nights)",
    "DELETE FROM plans WHERE plan NOT IN (SELECT plan FROM series)",
    "DELETE FROM testbeds WHERE fingerprint NOT IN (SELECT fingerprint FROM runs)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A run as the history has it, without its samples."""

    run: str
    at_s: float
    fingerprint: str
    topology: str
    outcome: str
    ended: bool
    taken: int
    revision: dict[str, str]
    excluded: dict[str, int]
    left: dict[str, int]
    canaries: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A test's outcome in a run."""

    __test__ = False
    run: str
    test: str
    outcome: str


class History:
    """One file, `reports/history.sqlite` by custom."""

    def __init__(self, path: Path, *, wait_s: float = WAIT_S) -> None:
        self.path, self.wait_s = path, wait_s

    # -- in ------------------------------------------------------------------------------------

    def add(self, *runs: Run) -> None:
        """Keep the runs, all or none; each in place of what was kept of it before."""
        with writing(self.path, wait_s=self.wait_s) as database:
            for run in runs:
                if _remove(database, run.run):
                    _forget(database)
                _add(database, run)

    def remove(self, runs: Sequence[str]) -> None:
        """Forget these runs, all or none, and give their room back."""
        with writing(self.path, wait_s=self.wait_s) as database:
            for run in runs:
                if not _remove(database, run):
                    raise HistoryError(f"the history has no run {run}", fix=LIST)
            _forget(database)

    # -- out -----------------------------------------------------------------------------------

    def runs(self) -> list[Kept]:
        """All of them, the oldest first."""
        query = (
            "SELECT run, at_s, fingerprint, topology, outcome, ended, taken, revision, excluded, "
            "left_out, canaries FROM runs JOIN testbeds USING (fingerprint) ORDER BY at_s, run"
        )
        return [_kept(*row) for row in self._read(query)]

    def testbeds(self) -> dict[str, Fingerprint]:
        """By their digests."""
        rows = self._read("SELECT fingerprint, parts FROM testbeds ORDER BY fingerprint")
        return {found: Fingerprint(**json.loads(parts)) for found, parts in rows}

    def plans(self) -> dict[str, dict[str, Any]]:
        """What the digests in series stand for."""
        rows = self._read("SELECT plan, body FROM plans ORDER BY plan")
        return {plan: json.loads(body) for plan, body in rows}

    def tests(self) -> list[Tested]:
        """Every test's outcome in every run, the oldest first."""
        query = (
            "SELECT run, test, tests.outcome FROM tests JOIN runs USING (run) ORDER BY at_s, run"
        )
        return [
            Tested(run=run, test=test, outcome=outcome)
            for run, test, outcome in self._read(f"{query}, test")
        ]

    def series(self, *, fingerprint: str = "") -> list[Series]:
        """What may be compared: each of one testbed as it was, all or one's."""
        return self._series("runs.fingerprint", fingerprint)

    def joined(self, *, topology: str = "") -> list[Series]:
        """The same machines' nights in one series, whatever ran on them: to see what a driver
        brought. The key's fingerprint is that of the topology."""
        return self._series("testbeds.topology", topology)

    def _series(self, by: str, wanted: str) -> list[Series]:
        query = (
            f"SELECT {by}, plan, metric, subject, better, run, at_s, samples, nights.excluded, "
            "revision FROM nights JOIN series USING (series) JOIN runs USING (run) "
            "JOIN testbeds ON testbeds.fingerprint = runs.fingerprint "
            f"WHERE ? IN ('', {by}) ORDER BY {by}, plan, metric, subject, at_s, run"
        )
        found: dict[Key, Series] = {}
        nights: dict[Key, list[Night]] = {}
        words: dict[str, dict[str, str]] = {}
        for of, plan, metric, subject, better, *night in self._read(query, wanted):
            key = Key(fingerprint=of, plan=plan, metric=metric, subject=subject)
            found.setdefault(key, Series(key=key, better=better, nights=()))
            nights.setdefault(key, []).append(_night(*night, words=words))
        return [
            Series(key=key, better=one.better, nights=tuple(nights[key]))
            for key, one in found.items()
        ]

    def _read(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with reading(self.path, wait_s=self.wait_s) as database:
            return database.execute(query, values).fetchall()


def _add(database: sqlite3.Connection, run: Run) -> None:
    found = run.fingerprint
    parts = _json({"topology": found.topology, "makeup": found.makeup})
    database.execute(
        "INSERT OR IGNORE INTO testbeds VALUES (?, ?, ?)",
        _row(found.digest, found.topology_digest, parts),
    )
    database.executemany(
        "INSERT OR IGNORE INTO plans VALUES (?, ?)",
        [_row(plan, _json(body)) for plan, body in run.plans.items()],
    )
    database.execute(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        _row(run.run, run.at_s, found.digest, run.outcome, run.ended, run.taken)
        + _row(*map(_json, (run.revision, run.excluded, run.left, run.canaries))),
    )
    for series in run.series:
        _add_series(database, run.run, series)
    database.executemany(
        "INSERT INTO tests VALUES (?, ?, ?)",
        [_row(run.run, test, outcome) for test, outcome in run.tests.items()],
    )


def _add_series(database: sqlite3.Connection, run: str, series: Series) -> None:
    key = series.key
    row = _row(key.fingerprint, key.plan, key.metric, key.subject)
    database.execute(
        "INSERT OR IGNORE INTO series (fingerprint, plan, metric, subject, better) "
        "VALUES (?, ?, ?, ?, ?)",
        (*row, series.better),
    )
    (number,) = database.execute(
        "SELECT series FROM series WHERE (fingerprint, plan, metric, subject) = (?, ?, ?, ?)", row
    ).fetchone()
    database.executemany(
        "INSERT INTO nights VALUES (?, ?, ?, ?)",
        [_row(number, run, json.dumps(n.samples), n.excluded) for n in series.nights],
    )


def _remove(database: sqlite3.Connection, run: str) -> bool:
    """Whether there was such a run."""
    return database.execute("DELETE FROM runs WHERE run = ?", _row(run)).rowcount > 0


def _forget(database: sqlite3.Connection) -> None:
    """What no run is left of."""
    for statement in FORGET:
        database.execute(statement)


def _kept(*row: Any) -> Kept:
    run, at_s, fingerprint, topology, outcome, ended, taken, *texts = row
    revision, excluded, left, canaries = map(json.loads, texts)
    return Kept(
        run=run,
        at_s=at_s,
        fingerprint=fingerprint,
        topology=topology,
        outcome=outcome,
        ended=bool(ended),
        taken=taken,
        revision=revision,
        excluded=excluded,
        left=left,
        canaries=canaries,
    )


def _night(
    run: str,
    at_s: float,
    samples: str,
    excluded: int,
    revision: str,
    *,
    words: dict[str, dict[str, str]],
) -> Night:
    """`words` are the revisions that were read before: a run's is the same in all of its series."""
    if revision not in words:
        words[revision] = json.loads(revision)
    return Night(
        run=run,
        at_s=at_s,
        samples=tuple(json.loads(samples)),
        excluded=excluded,
        revision=words[revision],
    )


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _row(*values: Any) -> tuple[Any, ...]:
    """What a command line or a node says need not be UTF-8; the file's text is."""
    return tuple(
        value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
        for value in values
    )
