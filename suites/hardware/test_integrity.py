"""Every byte arrives where it should: sizes around every boundary, repeats, both directions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.exchange import Exchanges
from harness.plan import KIB, MIB, Plan

pytestmark = pytest.mark.hardware


@pytest.mark.parametrize(
    "size_bytes",
    [1, 23, 4095, 4096, 4097, 512 * KIB - 1, 512 * KIB, 512 * KIB + 1, 64 * MIB],
)
def test_any_size_arrives_whole(exchange: Exchanges, plan: Plan, size_bytes: int) -> None:
    exchange(replace(plan, size_bytes=size_bytes))


def test_an_odd_tail_arrives(exchange: Exchanges, plan: Plan) -> None:
    exchange(replace(plan, size_bytes=5 * MIB + 12_345))


def test_an_odd_chunk_arrives(exchange: Exchanges, plan: Plan) -> None:
    exchange(replace(plan, size_bytes=8 * MIB, chunk_bytes=100_003))


def test_the_largest_chunk_arrives(exchange: Exchanges, plan: Plan) -> None:
    exchange(replace(plan, size_bytes=32 * MIB, chunk_bytes=8 * MIB))


def test_ten_iterations_are_each_verified(exchange: Exchanges, plan: Plan) -> None:
    exchange(replace(plan, size_bytes=16 * MIB, iterations=10))


@pytest.mark.parametrize("registrations", [2, 5])
def test_several_registrations_share_the_channels(
    exchange: Exchanges, plan: Plan, registrations: int
) -> None:
    exchange(replace(plan, size_bytes=16 * MIB, registrations=registrations))


@pytest.mark.parametrize(("server", "client"), [(0, 1), (1, 0)], ids=["there", "back"])
def test_both_directions(exchange: Exchanges, plan: Plan, server: int, client: int) -> None:
    exchange(replace(plan, size_bytes=16 * MIB), server=server, client=client)
