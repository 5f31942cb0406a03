"""Pasts as pure data: the material of the trend page's tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.history import History, Run, Series
from harness.regression.changes import Change, Kind
from harness.report.trend import Past, past
from suites.unit.history.nights import kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Change):
    """A change point by hand."""

    at_s: float = 0.0
    run: str = ""
    before: float = 0.126
    after: float = 0.119
    relative: float = -0.0555
    kind: Kind = "step"
    p: float = 0.0


def steady(series: Series) -> Sequence[Moved]:
    return ()


def at(night: int, **about: object) -> object:
    """Every series changed on this night."""
    return lambda _: (Moved(night=night, **about),)  # type: ignore[arg-type]


def of(*runs: Run, changes: object = steady) -> Past:
    with TemporaryDirectory() as folder:
        history = History(Path(folder, "history.sqlite"))
        history.add(*runs)
        return past(history, changes)  # type: ignore[arg-type]


def nights(count: int, **about: object) -> list[Run]:
    """Each has four samples."""
    return [kept(n, gb_s=(0.120, 0.124, 0.126, 0.130), **about) for n in range(count)]
