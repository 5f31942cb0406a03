"""Clean exchanges in a row raise no false alarm. `--hil-soak 200` asks for more of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.exchange import Exchanges
from harness.plan import MIB, TRANSFER_CLAIMS, Plan

pytestmark = pytest.mark.hardware


def test_clean_exchanges_raise_no_alarm(
    exchange: Exchanges, plan: Plan, request: pytest.FixtureRequest
) -> None:
    clean = replace(plan, size_bytes=4 * MIB, claims=(*TRANSFER_CLAIMS, "fairness"))
    for seed in range(request.config.getoption("--hil-soak")):
        exchange(replace(clean, seed=seed))
