"""Dealt chunks use what a slow NIC leaves of the others: a run of its own, on nodes of its own,
because no other exchange may meet the slow NIC."""

from __future__ import annotations

from pathlib import Path

from harness.evidence import Judged
from suites.selftest.pytest_run import PROJECT, PytestRun, suite

RUN_S = 120.0


def test_least_loaded_uses_what_round_robin_leaves(tmp_path: Path) -> None:
    run = PytestRun(tmp_path, suite(str(PROJECT / "suites/faults/unequal.py")))
    assert run.finish(RUN_S) == 0, run.said()
    judged = [e.record for e in run.entries() if isinstance(e.record, Judged)]
    (found,) = (record for record in judged if record.claim == "least-loaded")
    assert (found.outcome, found.checked > 0) == ("PASS", True)
    assert "that 4 NICs carry, one at 0.5 of its rate; round-robin 0.2" in found.fact
    assert {record.outcome for record in judged} == {"PASS"}
