"""verdict.json: the run for programs, the same facts as the other reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from harness.evidence import Entry, RunStarted
from harness.report.case import Case
from harness.report.ending import all_cases
from harness.report.exchanges import Told, exchanges
from harness.report.mesh import Mesh, meshes
from harness.verdict import worst


def summary(entries: Sequence[Entry]) -> dict[str, Any]:
    """Outcome, tests and exchanges of a run, ready for JSON."""
    started = next((e for e in entries if isinstance(e.record, RunStarted)), None)
    record = started.record if started else None
    found, told = all_cases(entries), exchanges(entries)
    return {
        "run": entries[0].run if entries else "",
        "tier": record.tier if isinstance(record, RunStarted) else "",
        "outcome": worst(case.outcome for case in found).name,
        "tests": [_test(case) for case in found],
        "exchanges": [_exchange(one) for one in told],
        "meshes": [_mesh(mesh) for mesh in meshes(told)],
    }


def _test(case: Case) -> dict[str, Any]:
    return {
        "test": case.test,
        "source": case.source,
        "outcome": case.outcome.name,
        "class": case.klass,
        "message": case.message,
        "duration_s": case.duration_s,
        "flaky": case.flaky,
        "others": [_test(other) for other in case.others],
    }


def _exchange(told: Told) -> dict[str, Any]:
    planned = told.seen.planned
    return {
        "exchange": told.seen.name,
        "mesh": planned.mesh,
        "test": planned.test,
        "tier": planned.tier,
        "server": planned.server,
        "client": planned.client,
        "nics": planned.nics,
        "gpus": told.gpus,
        "one_gpu": told.one_gpu,
        "plan": planned.plan,
        "gb_s": round(told.seen.gb_s, 6),
        "channels": [asdict(channel) for channel in told.channels],
        "judged": [asdict(judged) for judged in told.judged],
    }


def _mesh(mesh: Mesh) -> dict[str, Any]:
    return {
        "mesh": mesh.name,
        "test": mesh.told[0].seen.planned.test,
        "bytes": mesh.bytes,
        "words": mesh.words,
        "gb_s": round(mesh.gb_s, 6),
        "gpus": [asdict(row) for row in mesh.gpus],
        "nics": [asdict(row) for row in mesh.nics],
    }
