"""The bootstrap's claim: all handles, or a refusal by name when a fault was planted."""

from __future__ import annotations

import pytest

from harness.evidence import Entry, Observed, RoleFailed
from harness.plan import Fault
from harness.verdict.bootstrap import bootstrap
from harness.verdict.exchange import Exchange
from suites.unit.verdict.clean import added, bootstrapped, changed, without

PLANTED = (Fault(kind="bootstrap_count", value=65),)


def judged(entries: list[Entry]):
    return bootstrap(Exchange(entries))


def refused(entries: list[Entry], detail: str) -> list[Entry]:
    entries = without(entries, Observed, subject="handles_received")
    words = Observed(node="beta", role="client", subject="handles_refused", value=1, detail=detail)
    return added(entries, words, 1.0)


@pytest.mark.parametrize("channels", [1, 4, 64])
def test_all_handles_arrived(channels: int) -> None:
    found = judged(bootstrapped(channels=channels))
    assert (found.outcome, found.checked) == ("PASS", 2)
    assert f"{channels} handles sent" in found.fact


@pytest.mark.parametrize(
    ("subject", "node"), [("handles_sent", "alpha"), ("handles_received", "beta")]
)
def test_a_missing_handle_is_the_fault_of_who_lacks_it(subject: str, node: str) -> None:
    found = judged(changed(bootstrapped(), Observed, where={"subject": subject}, value=3))
    assert (found.outcome, found.klass, found.node) == ("FAIL", "BOOTSTRAP", node)


def test_a_refusal_that_nobody_planted_is_a_failure() -> None:
    found = judged(refused(bootstrapped(), "BOOTSTRAP: 0 handles"))
    assert (found.outcome, found.klass, found.node) == ("FAIL", "BOOTSTRAP", "beta")
    assert "0 handles" in found.fact


def test_a_planted_fault_refused_by_name_passes() -> None:
    found = judged(refused(bootstrapped(faults=PLANTED), "BOOTSTRAP: 65 handles"))
    assert (found.outcome, found.checked) == ("PASS", 1)


def test_a_planted_fault_may_be_refused_in_the_roles_last_words() -> None:
    entries = without(bootstrapped(faults=PLANTED), Observed, subject="handles_received")
    words = RoleFailed(node="beta", role="client", klass="BOOTSTRAP", message="65 handles")
    assert judged(added(entries, words, 1.0)).outcome == "PASS"


def test_a_planted_fault_that_was_accepted_is_a_failure() -> None:
    found = judged(bootstrapped(faults=PLANTED))
    assert (found.outcome, found.klass, found.node) == ("FAIL", "BOOTSTRAP", "beta")


def test_a_refusal_without_the_name_is_a_failure() -> None:
    found = judged(refused(bootstrapped(faults=PLANTED), "struct.error: unpack requires 4 bytes"))
    assert (found.outcome, found.klass) == ("FAIL", "BOOTSTRAP")
    assert "not by name" in found.fact


@pytest.mark.parametrize("faults", [(), PLANTED])
def test_a_client_that_told_nothing_is_open(faults: tuple[Fault, ...]) -> None:
    entries = without(bootstrapped(faults=faults), Observed, subject="handles_received")
    found = judged(entries)
    assert (found.outcome, found.klass, found.node) == ("INCONCLUSIVE", "NO_EVIDENCE", "beta")
