"""What the transport's documents promise for real nodes with the vendor's plugin, one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from fixtures.exchange import Exchanges, Settle
from harness.plan import MIB, Plan
from harness.verdict.limits import tier_limits
from harness.verdict.tier import gpu_rate, growth, nics_rate, one_channel, transfer_time

TIER = "two-node-tcpx"
ITERATIONS = 20
pytestmark = [pytest.mark.hardware, pytest.mark.requires(tier=TIER, nics_per_node=4)]


def test_the_promised_figures_are_reached(
    exchange: Exchanges,
    plan: Plan,
    claims: Callable[[str], Settle],
    request: pytest.FixtureRequest,
) -> None:
    limits, test = tier_limits(TIER), request.node.nodeid
    names = ("nics", "transfer", "one-channel", "scaling", "gpu")
    settle = {name: claims(f"tier-{name}") for name in names}
    size_bytes = limits.transfer_mib * MIB
    shape = replace(plan, size_bytes=size_bytes, iterations=ITERATIONS, acknowledged=True)
    one = exchange(replace(shape, channels=1)).seen
    four = exchange(replace(shape, channels=limits.nics)).seen
    settle["nics"](nics_rate(four, limits, test=test, claim="tier-nics"))
    settle["transfer"](transfer_time(four, limits, test=test, claim="tier-transfer"))
    settle["one-channel"](one_channel(one, limits, test=test, claim="tier-one-channel"))
    settle["scaling"](growth(one, four, limits, test=test, claim="tier-scaling"))
    settle["gpu"](gpu_rate(four, limits, test=test, claim="tier-gpu"))  # last: host memory ends it
