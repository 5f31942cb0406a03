"""All GPUs of both nodes at once, each on its NIC: GPU i of the client to GPU i of the server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.exchange import Exchanges
from harness.inventory import Inventory
from harness.plan import MIB, TRANSFER_CLAIMS, Plan, full_mesh

pytestmark = [pytest.mark.hardware, pytest.mark.requires(paired_gpus=2)]


def test_every_gpu_delivers_on_its_own_nic(
    exchange: Exchanges, plan: Plan, inventory: Inventory
) -> None:
    claims = (*TRANSFER_CLAIMS, "fairness")
    shape = replace(plan, size_bytes=16 * MIB, iterations=2, deadline_s=60.0, claims=claims)
    gpus = _gpus(inventory)
    results = exchange.mesh(full_mesh(shape, gpus))
    nodes = {node.name: node for node in inventory.nodes}
    assert [result.seen.gpu for result in results] == gpus
    for seen in (result.seen for result in results):
        own = {role: (nodes[name].nic_of(seen.gpu),) for role, name in seen.nodes.items()}
        assert {role: seen.nics(role) for role in own} == own


def _gpus(inventory: Inventory) -> list[int]:
    """By the numbers that both nodes state, which need not begin with 0; else by their places."""
    server, client = (sorted(gpu.index for gpu in node.gpus) for node in inventory.nodes[:2])
    return server if server == client else list(range(min(len(server), len(client))))
