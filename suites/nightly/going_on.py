"""A night goes on after an exchange that was disturbed: that one is excluded, the others count."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fixtures.outcome import Red
from harness.plan import Plan
from harness.verdict import Outcome

Asked = tuple[Plan, int]  # with the place of the first NIC


def measure(exchange: Callable[..., object], asked: Iterable[Asked]) -> None:
    """Every exchange; of those that were inconclusive the first is what the test ends with."""
    disturbed = []
    for plan, first_nic in asked:
        try:
            exchange(plan, first_nic=first_nic)
        except Red as red:
            if red.judged.outcome != Outcome.INCONCLUSIVE.name:
                raise
            disturbed.append(red)
    if disturbed:
        raise disturbed[0]
