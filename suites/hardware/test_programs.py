"""Other people's programs as roles, under the same evidence and verdicts as ours.

Stand-ins print what programs that need GPUs print, and move real bytes on the testbed; the programs
themselves run wherever they are installed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fixtures import stand_in
from fixtures.exchange import Exchanges
from fixtures.outcome import PlannedSkip
from harness.inventory import Inventory
from harness.nodes import Node
from harness.plan import MIB, Plan
from harness.programs import PROGRAMS

pytestmark = [pytest.mark.hardware, pytest.mark.requires(nics_per_node=4)]

Planned = Callable[..., Plan]
ONE_CHANNEL = {"test_tcpx_perf", "test_tcpx_transfer", "bench_p2p.sh"}
NEEDS_GPUS = sorted(set(PROGRAMS) - {"iperf3"})


def shape(name: str) -> dict[str, Any]:
    """A plan that the program can run in a second."""
    channels = 1 if name in ONE_CHANNEL else 16 if name == "run_p2p_fullmesh.sh" else 4
    return {"channels": channels, "size_bytes": 16 * MIB, "iterations": 3}


@pytest.fixture
def stand_ins(nodes: tuple[Node, ...], inventory: Inventory) -> None:
    """Stand-ins on both nodes; only where nobody could take them for the real thing."""
    if not inventory.tier.startswith("testbed"):
        raise PlannedSkip("stand-ins run on the embedded testbed, real nodes have real programs")
    for node in nodes[:2]:
        stand_in.install(node)


@pytest.mark.parametrize("channels", [1, 4, 8])
def test_iperf3(exchange: Exchanges, program: Planned, channels: int) -> None:
    exchange(program("iperf3", channels=channels, size_bytes=32 * MIB))


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("name", [n for n in NEEDS_GPUS if n.startswith(("test_", "bench", "run"))])
def test_stand_in(exchange: Exchanges, program: Planned, name: str) -> None:
    exchange(program(stand_in.place(name), **shape(name)))


@pytest.mark.usefixtures("stand_ins")
def test_stand_in_of_the_earlier_runner(exchange: Exchanges, program: Planned) -> None:
    name = "test_tcpx_perf_multi"
    exchange(program(stand_in.place(name), **shape(name), arguments=("--old",)))


@pytest.mark.parametrize("name", NEEDS_GPUS)
def test_program(exchange: Exchanges, program: Planned, name: str) -> None:
    exchange(program(name, **shape(name)))
