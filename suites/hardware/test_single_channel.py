"""One channel works as before there were several: the same claims, the same windows, one NIC."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.exchange import Exchanges
from harness.plan import KIB, MIB, Plan

pytestmark = pytest.mark.hardware


@pytest.mark.parametrize("chunk_bytes", [64 * KIB, 512 * KIB, 2 * MIB])
def test_one_channel_as_before(exchange: Exchanges, plan: Plan, chunk_bytes: int) -> None:
    exchange(replace(plan, channels=1, size_bytes=16 * MIB, chunk_bytes=chunk_bytes))


def test_one_channel_carries_the_smallest_message(exchange: Exchanges, plan: Plan) -> None:
    """23 bytes, once: the transport's own first test."""
    exchange(replace(plan, channels=1, size_bytes=23))
