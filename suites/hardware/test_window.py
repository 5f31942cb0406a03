"""The limits of a channel: 16 requests, windows of 16 and 12, and a stall that stays its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.exchange import Exchanges
from harness.plan import MIB, Plan

pytestmark = pytest.mark.hardware


@pytest.mark.parametrize("channels", [1, 4])
def test_windows_hold_16_and_12_and_refuse_the_17th(
    exchange: Exchanges, plan: Plan, channels: int
) -> None:
    """With several channels, one is stalled as well while the others must go on."""
    exchange(replace(plan, exercise="window", claims=(), channels=channels, size_bytes=16 * MIB))


@pytest.mark.parametrize(("recv", "send"), [(1, 1), (2, 2), (16, 16)])
def test_any_window_delivers(exchange: Exchanges, plan: Plan, recv: int, send: int) -> None:
    exchange(replace(plan, size_bytes=8 * MIB, recv_window=recv, send_window=send))
