"""Planted faults: found in exchanges and in tests, caught or missed."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from harness.evidence import Entry, ExchangePlanned, Judged, TestFinished, TestsPlanned
from harness.plan import Fault
from harness.report.page.canaries import canaries
from harness.report.page.run import Run
from suites.unit.report.run import green, run
from suites.unit.verdict.clean import edited, entries_of

PLANTED = "suites/faults/test_planted.py::test_planted_fault_is_named[flip]"
CONTROL = "suites/faults/test_planted.py::test_a_healthy_exchange_is_green"


def with_fault(entries: list[Entry], kind: str) -> list[Entry]:
    def plant(planned: ExchangePlanned) -> ExchangePlanned:
        return replace(planned, plan={**planned.plan, "faults": [asdict(Fault(kind=kind))]})

    return edited(entries, ExchangePlanned, plant)


def of_tests(**outcomes: str) -> Run:
    tests = {"planted": PLANTED, "control": CONTROL}
    records = [
        TestsPlanned(tests={tests[name]: "" for name in outcomes}),
        *(
            TestFinished(test=tests[name], outcome=outcome, duration_s=1.0)
            for name, outcome in outcomes.items()
        ),
    ]
    return Run(entries_of([(0.0, record) for record in records], exchange=""))


def test_without_planted_faults_there_are_no_canaries() -> None:
    assert canaries(Run(run())) == []


@pytest.mark.parametrize(("made", "caught"), [(green, [False]), (run, [False, True])])
def test_a_planted_exchange_is_caught_when_a_claim_of_it_is_red(made, caught) -> None:
    found = canaries(Run(with_fault(made(), "flip")))
    assert [(one.what, one.caught) for one in found] == [("flip", each) for each in caught]


def test_a_bench_that_broke_has_caught_nothing() -> None:
    entries = edited(
        with_fault(green(), "flip"),
        Judged,
        lambda one: replace(one, outcome="ERROR", klass="INFRA_SSH"),
    )
    assert [one.caught for one in canaries(Run(entries))] == [False]


def test_a_fault_of_the_bootstrap_is_caught_when_it_was_refused_by_name() -> None:
    entries = with_fault(green(), "bootstrap_count")
    assert [one.caught for one in canaries(Run(entries))] == [False]
    refused = edited(entries, Judged, lambda one: replace(one, claim="bootstrap"), claim="roles")
    assert [one.caught for one in canaries(Run(refused))] == [True]


@pytest.mark.parametrize(("outcome", "caught"), [("PASS", True), ("FAIL", False), ("ERROR", False)])
def test_a_test_that_plants_is_caught_when_it_passes(outcome: str, caught: bool) -> None:
    (one,) = canaries(of_tests(planted=outcome))
    assert (one.what, one.caught) == ("flip", caught)


def test_neither_a_control_nor_a_skipped_test_is_a_canary() -> None:
    assert canaries(of_tests(planted="SKIP", control="PASS")) == []
