"""More runs as pure data: on several pairs of nodes, and with tests that were tried again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.evidence import (
    Entry,
    ExchangePlanned,
    RunStarted,
    TestFinished,
    TestsPlanned,
    TestStarted,
)
from suites.unit.report.run import MAPPED, green, run


def of_run(entries: list[Entry], name: str) -> list[Entry]:
    return [replace(entry, run=name) for entry in entries]


def of_worker(entries: list[Entry], name: str) -> list[Entry]:
    return [replace(entry, worker=name) for entry in entries]


def with_record(entries: list[Entry], kind: type, **changes: Any) -> list[Entry]:
    """Every record of this kind with other fields."""
    return [
        replace(e, record=replace(e.record, **changes)) if isinstance(e.record, kind) else e
        for e in entries
    ]


def on_nodes(entries: list[Entry], *names: str) -> list[Entry]:
    """The inventory has these nodes."""
    nodes = [{"name": name} for name in names]
    return with_record(entries, RunStarted, inventory={"source": "mesh.toml", "nodes": nodes})


def between(entries: list[Entry], exchange: str, server: str, client: str) -> list[Entry]:
    """One exchange is between other nodes."""
    return [
        replace(e, record=replace(e.record, server=server, client=client))
        if isinstance(e.record, ExchangePlanned) and e.exchange == exchange
        else e
        for e in entries
    ]


def tried(*outcomes: str, asked: int = 1) -> list[Entry]:
    """A run of one test without exchanges, tried so many times."""
    first = green()
    planned = TestsPlanned(tests={"a.py::test_a": "a.py:1"})
    body: list[Any] = [planned]
    for number, outcome in enumerate(outcomes, 1):
        told = {} if outcome == "PASS" else {"klass": f"K{number}", "message": f"K{number}: seen"}
        end = TestFinished(
            test="a.py::test_a",
            outcome=outcome,
            duration_s=1.0,
            attempt=number,
            tries=asked,
            detail=f"detail {number}",
            **told,
        )
        body += [TestStarted(test="a.py::test_a"), end]
    return [first[0], *(replace(first[0], record=record) for record in body), first[-1]]


__all__ = ["MAPPED", "between", "green", "of_run", "of_worker", "on_nodes", "run", "tried"]
