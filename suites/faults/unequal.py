"""With one NIC at half its rate, chunks dealt to whichever channel has room use all the others.

Not collected with the other suites: every exchange on these nodes would meet the slow NIC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from fixtures.exchange import Exchanges, Settle
from harness.faults import slow
from harness.nodes import Node
from harness.plan import MIB, Plan
from harness.verdict import least_loaded

pytestmark = [pytest.mark.hardware, pytest.mark.requires(shaped=True, nics_per_node=4)]

HALF = 0.5
SLOW_NIC = 2  # its place in channel order
TRIES = 3  # of an exchange that was slow: other work on the machine may have been the reason


@pytest.fixture
def half_a_nic(nodes: tuple[Node, ...]) -> Iterator[None]:
    """One data NIC of the two nodes sends at half its rate for as long as the test runs."""
    with ExitStack() as undone:
        for node in nodes[:2]:
            undone.callback(slow(node, node.spec.nic_names[SLOW_NIC], HALF))
        yield


@pytest.mark.usefixtures("half_a_nic")
def test_a_slow_nic_does_not_hold_up_the_others(
    exchange: Exchanges,
    plan: Plan,
    claims: Callable[[str], Settle],
    request: pytest.FixtureRequest,
) -> None:
    settle = claims("least-loaded")
    even = replace(plan, channels=4, size_bytes=64 * MIB, iterations=6)
    dealt = replace(even, distribution="least-loaded", iterations=12)  # about two seconds
    beside = exchange(even).seen
    for tries in range(1, TRIES + 1):
        judged = least_loaded(
            exchange(dealt).seen,
            beside,
            slow=HALF,
            test=request.node.nodeid,
            claim="least-loaded",
            tries=tries,
        )
        if judged.klass != "SLOW":
            break
    settle(judged)
