"""Every channel uses the NIC that it should, and no other NIC carries anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.exchange import Exchanges
from harness.plan import MIB, TRANSFER_CLAIMS, Plan

pytestmark = pytest.mark.hardware


@pytest.mark.parametrize("channels", [1, 2, 4, 8])
def test_channel_i_is_on_nic_i_mod_n(exchange: Exchanges, plan: Plan, channels: int) -> None:
    exchange(replace(plan, channels=channels, size_bytes=16 * MIB))


@pytest.mark.parametrize("channels", [4, 8])
def test_every_nic_carries_its_share(exchange: Exchanges, plan: Plan, channels: int) -> None:
    claims = (*TRANSFER_CLAIMS, "fairness")
    exchange(replace(plan, channels=channels, size_bytes=32 * MIB, claims=claims))


def test_several_sockets_a_channel_stay_on_its_nic(exchange: Exchanges, plan: Plan) -> None:
    exchange(replace(plan, channels=4, sockets_per_channel=2, size_bytes=16 * MIB))
