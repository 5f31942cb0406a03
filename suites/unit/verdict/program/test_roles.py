"""An exit status of 0 is not enough, and any other is too much."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.evidence import ProgramSaid, ProgramStarted, RoleExited
from harness.verdict.exchange import Exchange
from harness.verdict.program.roles import roles
from suites.unit.verdict.clean import edited, without
from suites.unit.verdict.program.ran import also, ran, say

SUCCESS = "[PERF] Benchmark completed successfully"


def judged(entries: list[Any]) -> Any:
    return roles(Exchange(entries))


def needing_success(processes: tuple[int, ...] = (0,)) -> list[Any]:
    return edited(
        ran(),
        ProgramStarted,
        lambda r: replace(r, success=SUCCESS, processes=processes),
        role="server",
    )


def test_a_clean_one_passes() -> None:
    verdict = judged(ran())
    assert (verdict.outcome, verdict.checked) == ("PASS", 6)


def test_an_error_with_status_0_is_red() -> None:
    line = "[FAIL] bootstrap_client_connect failed"
    verdict = judged(also(ran(), say("client", "error", 1, line)))
    assert (verdict.outcome, verdict.klass, verdict.node) == ("FAIL", "PROGRAM", "beta")
    assert verdict.fact == f"the client printed {line!r} and exited with 0"


def test_success_in_words_does_not_outrank_the_status() -> None:
    entries = edited(ran(), RoleExited, lambda r: replace(r, code=1), role="server")
    verdict = judged(also(entries, say("server", "success", 1, SUCCESS)))
    assert (verdict.outcome, verdict.klass, verdict.node) == ("FAIL", "ROLE_EXIT", "alpha")


def test_a_script_that_always_ends_with_0_must_show_success() -> None:
    verdict = judged(needing_success())
    assert (verdict.outcome, verdict.klass) == ("FAIL", "PROGRAM")
    assert "never printed" in verdict.fact
    said = also(needing_success(), say("server", "success", 1, SUCCESS))
    assert judged(said).outcome == "PASS"


def test_each_of_its_processes_must() -> None:
    entries = also(needing_success((0, 1)), say("server", "success", 1, SUCCESS, process=0))
    assert "process 1 of the server never printed" in judged(entries).fact


@pytest.mark.parametrize("role", ["server", "client"])
def test_a_role_that_started_nothing_is_no_pass(role: str) -> None:
    entries = without(without(ran(), ProgramStarted, role=role), ProgramSaid, role=role)
    verdict = judged(entries)
    assert (verdict.outcome, verdict.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")
