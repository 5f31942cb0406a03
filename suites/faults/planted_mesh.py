"""Red on purpose: a full mesh of which one GPU goes wrong. test_mesh.py says how.

The file's name keeps pytest from collecting it unless it is named, so these never run by accident.
"""

from __future__ import annotations

import queue
from dataclasses import replace

import pytest

from fixtures.exchange import Exchanges
from harness.nodes import Event, Node
from harness.plan import MIB, Fault, Plan, full_mesh

pytestmark = pytest.mark.faults

GPUS = 8
# The GPU that goes wrong, and what it does.
PLANTED = {
    "astray": (2, Fault(kind="one_nic", channel=1, value=0)),
    "damaged": (5, Fault(kind="flip", chunk=5, value=1001)),
    "idle": (6, Fault(kind="hang", chunk=0)),  # stops before it has delivered anything
}


@pytest.fixture
def mesh(plan: Plan) -> list[Plan]:
    """One that would be green."""
    return list(full_mesh(replace(plan, size_bytes=8 * MIB, deadline_s=30.0), range(GPUS)))


@pytest.mark.parametrize("name", PLANTED)
def test_one_gpu(exchange: Exchanges, mesh: list[Plan], name: str) -> None:
    gpu, fault = PLANTED[name]
    mesh[gpu] = replace(mesh[gpu], faults=(fault,))
    exchange.mesh(mesh)


def test_port_clash(exchange: Exchanges, mesh: list[Plan], nodes: tuple[Node, ...]) -> None:
    """Somebody else listens where one GPU's server wants to."""
    events: queue.Queue[Event] = queue.Queue(100)
    program = f"import socket, sys; s = socket.create_server(('', {mesh[4].port})); print('up'); "
    program += "sys.stdout.flush(); sys.stdin.read()"
    command = [nodes[0].spec.python, "-c", program]
    squatter = nodes[0].leash().start("squatter", command, events=events, deadline_s=60.0)
    try:
        assert events.get(timeout=10.0).text == "up"
        exchange.mesh(mesh)
    finally:
        squatter.stop(grace_s=0.0)


def test_one_port_for_two(exchange: Exchanges, mesh: list[Plan]) -> None:
    """Two plans whose base and GPU add up to the same port."""
    mesh[1] = replace(mesh[1], port_base=mesh[1].port_base - 1)
    exchange.mesh(mesh)
