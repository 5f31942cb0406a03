"""Red on purpose: every test in here must fail, and test_planted.py says how.

The file's name keeps pytest from collecting it unless it is named, so these never run by accident.
"""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable
from dataclasses import replace

import pytest

from fixtures.exchange import Exchanges, Settle
from harness.faults import link
from harness.nodes import Event, Node
from harness.plan import DISTRIBUTIONS, MIB, Fault, Plan
from harness.verdict import rate

pytestmark = pytest.mark.faults

PLANTED = {
    "one_nic": (Fault(kind="one_nic", value=0),),
    "swap_nics": (Fault(kind="swap_nics"),),
    "flip": (Fault(kind="flip", chunk=5, value=1001),),
    "drop": (Fault(kind="drop", chunk=6),),
    "withhold": (Fault(kind="withhold", chunk=31),),
    "swap": (Fault(kind="swap", chunk=2, value=7),),
    "stale": (Fault(kind="stale", iteration=1, chunk=9),),
    "short": (Fault(kind="short", value=17),),
    "exit": (Fault(kind="exit", value=1),),
    "hang": (Fault(kind="hang", chunk=8),),
    "die": (Fault(kind="die", chunk=8),),
    "blind": (Fault(kind="blind"),),
}
CREW = {"size_bytes": 64 * MIB}  # enough to be shared out among several processes
VARIED: dict[str, dict[str, float]] = {  # where a fault needs another plan to be seen
    "flip": CREW,
    "swap": CREW,
    "drop": CREW,
    "hang": {"deadline_s": 12.0},
    "withhold": {"deadline_s": 2.0, "iterations": 1},
    "short": {"size_bytes": 64 * MIB, "iterations": 1},
}


@pytest.mark.parametrize("name", PLANTED)
def test_fault(exchange: Exchanges, plan: Plan, name: str) -> None:
    faulty = replace(plan, size_bytes=16 * MIB, iterations=2, faults=PLANTED[name])
    exchange(replace(faulty, **VARIED.get(name, {})))


def test_loopback(exchange: Exchanges, plan: Plan) -> None:
    faults = (Fault(kind="loopback"),)
    exchange(replace(plan, size_bytes=16 * MIB, faults=faults), server=0, client=0)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_link_down(
    exchange: Exchanges, plan: Plan, nodes: tuple[Node, ...], distribution: str
) -> None:
    undo = link.down(nodes[1], nodes[1].spec.nic_names[2])
    try:
        exchange(replace(plan, size_bytes=16 * MIB, deadline_s=5.0, distribution=distribution))
    finally:
        undo()


def test_slow(
    exchange: Exchanges,
    plan: Plan,
    claims: Callable[[str], Settle],
    request: pytest.FixtureRequest,
) -> None:
    """A claim beyond one exchange that does not hold: nobody is twice as fast as the line."""
    settle = claims("rate")
    seen = exchange(replace(plan, size_bytes=16 * MIB)).seen
    settle(rate(seen, test=request.node.nodeid, claim="rate", at_least=2.0))


def test_caught(exchange: Exchanges, plan: Plan) -> None:
    """A test that catches the verdict of its exchange is not green for that."""
    with contextlib.suppress(Exception):
        exchange(replace(plan, size_bytes=16 * MIB, faults=PLANTED["flip"]))


def test_unsettled(claims: Callable[[str], Settle]) -> None:
    claims("never")


def test_unplanned_skip(nodes: tuple[Node, ...]) -> None:
    pytest.skip("somebody thought this was not worth running")


def test_plain_exchange(exchange: Exchanges, plan: Plan) -> None:
    """Healthy by itself; the inventory that it is run with is not."""
    exchange(replace(plan, size_bytes=16 * MIB))


def test_port_squatter(exchange: Exchanges, plan: Plan, nodes: tuple[Node, ...]) -> None:
    """Somebody else's program listens where the server wants to."""
    events: queue.Queue[Event] = queue.Queue(100)
    program = f"import socket, sys; s = socket.create_server(('', {plan.port})); print('up'); "
    program += "sys.stdout.flush(); sys.stdin.read()"
    command = [nodes[0].spec.python, "-c", program]
    squatter = nodes[0].leash().start("squatter", command, events=events, deadline_s=30.0)
    try:
        assert events.get(timeout=10.0).text == "up"
        exchange(replace(plan, size_bytes=16 * MIB))
    finally:
        squatter.stop(grace_s=0.0)
