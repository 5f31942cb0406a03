"""Red on purpose: every test in here must fail, and test_planted.py says how.

The file's name keeps pytest from collecting it unless it is named, so these never run by accident.
"""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable
from dataclasses import replace

import pytest

from fixtures import stand_in
from fixtures.exchange import Exchanges, Settle
from harness.faults import link
from harness.nodes import Event, Node
from harness.plan import DISTRIBUTIONS, MIB, PROGRAM_CLAIMS, Fault, Plan
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


# What a program does wrong or lies about: its name, its arguments, its plan.
LIES: dict[str, tuple[str, tuple[str, ...], dict[str, int]]] = {
    "short": ("test_tcpx_perf_multi", ("--lie=short",), {"size_bytes": 64 * MIB, "iterations": 1}),
    "short_old": (
        "test_tcpx_perf_multi",
        ("--old", "--lie=short"),
        {"size_bytes": 64 * MIB, "iterations": 1},
    ),
    "admits": ("test_tcpx_perf_multi", ("--lie=admits",), {"size_bytes": 64 * MIB}),
    "one_nic": ("test_tcpx_perf_multi", ("--lie=one_nic",), {}),
    "one_nic_old": ("test_tcpx_perf_multi", ("--old", "--lie=one_nic"), {}),
    "says_one_nic": ("test_tcpx_perf_multi", ("--lie=says_one_nic",), {}),
    "fallback": ("test_tcpx_perf_multi", ("--lie=fallback",), {}),
    "average": ("test_tcpx_perf_multi", ("--old", "--lie=average"), {}),
    "fast": ("test_tcpx_perf_multi", ("--lie=fast",), {}),
    "aborted": ("test_tcpx_perf_multi", ("--old", "--lie=aborted"), {}),
    "status": ("test_tcpx_perf_multi", ("--lie=status",), {}),
    "crash": ("test_tcpx_perf_multi", ("--lie=crash",), {}),
    "stuck": ("test_tcpx_perf_multi", ("--lie=stuck",), {"deadline_s": 4}),
    "fails": ("test_modules", ("--lie=fails",), {}),
    "silent": ("run_p2p_fullmesh.sh", ("--lie=silent",), {"channels": 16}),
    "no_words": ("test_tcpx_transfer", ("--lie=fails",), {"channels": 1}),
}


@pytest.mark.parametrize("lie", LIES)
def test_program(
    exchange: Exchanges, program: Callable[..., Plan], nodes: tuple[Node, ...], lie: str
) -> None:
    name, arguments, fields = LIES[lie]
    for node in nodes[:2]:
        stand_in.install(node)
    shape = {"channels": 4, "size_bytes": 16 * MIB, "iterations": 2, **fields}
    exchange(program(stand_in.place(name), arguments=arguments, **shape))


def test_program_that_is_absent(exchange: Exchanges, plan: Plan) -> None:
    """Named in a plan without asking first."""
    exchange(replace(plan, program="~/nowhere/test_tcpx_perf_multi", claims=()))


def test_program_that_verifies_nothing(exchange: Exchanges, program: Callable[..., Plan]) -> None:
    """A claim that its evidence cannot settle."""
    claims = (*PROGRAM_CLAIMS, "integrity")
    exchange(program("iperf3", size_bytes=16 * MIB, claims=claims))


def test_program_whose_sockets_name_no_bytes(
    exchange: Exchanges, program: Callable[..., Plan]
) -> None:
    """Another: no frame of its is known."""
    exchange(program("iperf3", size_bytes=16 * MIB, claims=("roles", "sockets")))


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
