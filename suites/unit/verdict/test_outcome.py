"""The order of outcomes, and which class has which."""

from __future__ import annotations

import pytest

from harness.verdict import Outcome, outcome_of, worst


def test_outcomes_are_ordered() -> None:
    names = [outcome.name for outcome in sorted(Outcome)]
    assert names == ["SKIP", "PASS", "INCONCLUSIVE", "FAIL", "ERROR"]


def test_the_worst_of_some_is_the_greatest() -> None:
    assert worst([Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE]) is Outcome.FAIL


def test_the_worst_of_nothing_is_an_error() -> None:
    assert worst([]) is Outcome.ERROR


@pytest.mark.parametrize(
    ("klass", "outcome"),
    [
        ("INFRA_SSH", "ERROR"),
        ("INFRA_HOSTKEY", "ERROR"),
        ("INVENTORY", "ERROR"),
        ("LEASE", "ERROR"),
        ("UNSETTLED", "ERROR"),
        ("COUNTER", "INCONCLUSIVE"),
        ("UNVERIFIED", "INCONCLUSIVE"),
        ("STALL", "FAIL"),
        ("BOOTSTRAP", "FAIL"),
        ("LEDGER", "FAIL"),
        ("something a role made up", "FAIL"),
    ],
)
def test_a_class_has_one_outcome(klass: str, outcome: str) -> None:
    assert outcome_of(klass).name == outcome
