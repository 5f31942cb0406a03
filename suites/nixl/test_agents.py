"""Real NIXL agents on two nodes: every step, every word, every NIC they were given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fixtures.exchange import Exchanges
from harness.plan import KIB, MIB, Plan

pytestmark = pytest.mark.nixl

Agents = Callable[..., Plan]
BOTH = pytest.mark.parametrize("exercise", ["nixl-write", "nixl-read"])
RAILS = [
    pytest.param(count, marks=pytest.mark.requires(nics_per_node=count)) for count in (1, 2, 4)
]


@BOTH
@pytest.mark.parametrize("rails", RAILS)
def test_every_byte_arrives_over_the_rails(
    exchange: Exchanges, agents: Agents, exercise: str, rails: int
) -> None:
    exchange(agents(exercise, rails=rails, size_bytes=8 * MIB, iterations=3))


@BOTH
def test_many_descriptors(exchange: Exchanges, agents: Agents, exercise: str) -> None:
    """Small ones, and yet of a size that UCX spreads: 4 KiB it would send over one rail."""
    size = 4096 * 8 * KIB + 23
    exchange(agents(exercise, rails=2, size_bytes=size, chunk_bytes=8 * KIB))


@pytest.mark.parametrize(
    "fields",
    [
        {"size_bytes": 1},
        {"size_bytes": 5 * MIB + 12_345, "registrations": 5, "chunk_bytes": 100_003},
    ],
    ids=["one-byte", "five-registrations"],
)
def test_odd_sizes(exchange: Exchanges, agents: Agents, fields: dict[str, Any]) -> None:
    exchange(agents("nixl-write", rails=1, **fields))


def test_the_other_way_round(exchange: Exchanges, agents: Agents) -> None:
    exchange(agents("nixl-write", rails=2, size_bytes=4 * MIB), server=1, client=0)
