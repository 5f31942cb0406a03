"""The exchange of handles: N in one round trip, and every way it can go wrong named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.exchange import Exchanges
from harness.plan import Fault, Plan

pytestmark = pytest.mark.hardware


@pytest.mark.parametrize("channels", [1, 4, 64])
def test_all_handles_arrive_in_one_round_trip(
    exchange: Exchanges, plan: Plan, channels: int
) -> None:
    exchange(replace(plan, exercise="bootstrap", claims=(), channels=channels))


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="bootstrap_count", value=0),
        Fault(kind="bootstrap_count", value=65),
        Fault(kind="bootstrap_cut", value=100),
        Fault(kind="bootstrap_garbage"),
    ],
    ids=["none", "too-many", "truncated", "garbage"],
)
def test_a_wrong_answer_is_refused_by_name(exchange: Exchanges, plan: Plan, fault: Fault) -> None:
    exchange(replace(plan, exercise="bootstrap", claims=(), faults=(fault,)))
