"""Every step of the agents' contract, as often as the plan says, or it is named."""

from __future__ import annotations

import pytest

from harness.evidence import Entry, Judged, Observed
from harness.plan import Plan
from harness.verdict import judge
from harness.verdict.agents import agents
from harness.verdict.exchange import Exchange
from suites.unit.verdict.agented import agented, subjects
from suites.unit.verdict.clean import NODES, changed, without

SUBJECTS = tuple(subjects(Plan(exercise="nixl-write", channels=1, rails=1), "client"))
EXERCISES = ("nixl-write", "nixl-read")


def judged(entries: list[Entry]) -> Judged:
    return agents(Exchange(entries))


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("registrations", [1, 5])
def test_all_steps_pass(exercise: str, registrations: int) -> None:
    found = judged(agented(exercise, iterations=3, registrations=registrations))
    assert (found.outcome, found.checked) == ("PASS", 2 * len(SUBJECTS))
    assert "96 descriptors in 3 transfers over UCX" in found.fact


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_claim_of_a_clean_exchange_passes(exercise: str) -> None:
    found = judge(agented(exercise, iterations=2))
    assert {one.claim: one.outcome for one in found} == dict.fromkeys(
        ("roles", "delivery", "integrity", "agents", "rails", "traffic", "quiet"), "PASS"
    )


@pytest.mark.parametrize("role", NODES)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_wrong_count_is_named_with_its_node(subject: str, role: str) -> None:
    where = {"subject": subject, "role": role}
    found = judged(changed(agented(), Observed, where=where, value=7, detail="why"))
    assert (found.outcome, found.klass, found.node) == ("FAIL", "AGENT", NODES[role])
    assert found.fact.startswith(f"{subject} says 7, expected ")
    assert found.fact.endswith("(why)")


@pytest.mark.parametrize("role", NODES)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_was_not_told_is_open(subject: str, role: str) -> None:
    found = judged(without(agented(), Observed, subject=subject, role=role))
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")
    assert subject in found.fact
