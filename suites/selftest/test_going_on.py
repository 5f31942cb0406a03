"""One disturbed exchange costs a night that exchange, and no other."""

from __future__ import annotations

import pytest

from fixtures.outcome import Red
from harness.evidence import Judged
from harness.plan import Plan
from suites.nightly.going_on import measure

pytestmark = pytest.mark.selftest

ASKED = [(Plan(seed=seed), 0) for seed in range(4)]


class Exchange:
    """Ends as it is told, by seed; PASS otherwise."""

    def __init__(self, **ends: str) -> None:
        self.ends = {int(seed.removeprefix("at")): outcome for seed, outcome in ends.items()}
        self.run: list[int] = []

    def __call__(self, plan: Plan, *, first_nic: int) -> None:
        self.run.append(plan.seed)
        if outcome := self.ends.get(plan.seed):
            fact = f"exchange {plan.seed}"
            raise Red(Judged(test="t", claim="rate", outcome=outcome, checked=0, fact=fact))


def test_all_are_measured_and_the_first_disturbed_one_is_told() -> None:
    exchange = Exchange(at1="INCONCLUSIVE", at2="INCONCLUSIVE")
    with pytest.raises(Red, match="exchange 1"):
        measure(exchange, ASKED)
    assert exchange.run == [0, 1, 2, 3]


@pytest.mark.parametrize("outcome", ["FAIL", "ERROR"])
def test_what_is_wrong_ends_it_at_once(outcome: str) -> None:
    exchange = Exchange(at1="INCONCLUSIVE", at2=outcome)
    with pytest.raises(Red, match="exchange 2"):
        measure(exchange, ASKED)
    assert exchange.run == [0, 1, 2]


def test_without_trouble_nothing_is_raised() -> None:
    exchange = Exchange()
    measure(exchange, ASKED)
    assert exchange.run == [0, 1, 2, 3]
