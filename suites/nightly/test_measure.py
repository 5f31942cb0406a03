"""Every NIC alone, then several together: each plan so often that a night can be compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.exchange import Exchanges
from harness.inventory import Inventory
from harness.plan import Plan
from suites.nightly.going_on import measure
from suites.nightly.shapes import CHUNKS_KIB, TOGETHER, nics, shape

pytestmark = pytest.mark.nightly


@pytest.mark.parametrize("chunk_kib", CHUNKS_KIB)
def test_every_nic_alone(
    exchange: Exchanges,
    plan: Plan,
    inventory: Inventory,
    chunk_kib: int,
    pytestconfig: pytest.Config,
) -> None:
    """In turn, so that what the machine does meanwhile is done to all of them."""
    alone = shape(plan, inventory, channels=1, chunk_kib=chunk_kib)
    seeds, places = range(pytestconfig.getoption("--hil-exchanges")), range(nics(inventory))
    measure(exchange, [(replace(alone, seed=seed), nic) for seed in seeds for nic in places])


@pytest.mark.parametrize("chunk_kib", CHUNKS_KIB)
@pytest.mark.parametrize("channels", TOGETHER)
def test_together(
    exchange: Exchanges,
    plan: Plan,
    inventory: Inventory,
    channels: int,
    chunk_kib: int,
    pytestconfig: pytest.Config,
) -> None:
    together = shape(plan, inventory, channels=channels, chunk_kib=chunk_kib)
    seeds = range(pytestconfig.getoption("--hil-exchanges"))
    measure(exchange, [(replace(together, seed=seed), 0) for seed in seeds])
