"""What a night measures: plans of equal time, whatever the line's rate and the channels' number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.inventory import Inventory
from harness.plan import KIB, MIB, Plan

CHUNKS_KIB = (512, 2048)
CHANNELS = (2, 4)
TOGETHER = [
    pytest.param(n, marks=pytest.mark.requires(nics_per_node=n), id=str(n)) for n in CHANNELS
]
TRAFFIC_S = 0.5  # of an exchange at the stated rate: with half of it, its end weighed 4%
BUFFER_CHUNKS = 16  # a channel
LEAST_ITERATIONS = 2  # more than one window, so that it is the line that is measured
UNSTATED_BYTES = 128 * MIB  # a channel


def shape(plan: Plan, inventory: Inventory, *, channels: int, chunk_kib: int) -> Plan:
    """About so much traffic on each channel."""
    rate = min((nic.rate_gbit_s for node in inventory.nodes for nic in node.nics), default=0.0)
    wanted = int(rate / 8 * 1e9 * TRAFFIC_S) or UNSTATED_BYTES
    buffer_bytes = BUFFER_CHUNKS * chunk_kib * KIB
    iterations = max(-(-wanted // buffer_bytes), LEAST_ITERATIONS)
    return replace(
        plan,
        channels=channels,
        chunk_bytes=chunk_kib * KIB,
        size_bytes=channels * buffer_bytes,
        iterations=iterations,
    )


def nics(inventory: Inventory) -> int:
    """How many every node has."""
    return min((len(node.nics) for node in inventory.nodes), default=0)
