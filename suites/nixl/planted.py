"""Red on purpose: agents whose payload or whose NICs are not what the plan says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fixtures.exchange import Exchanges
from harness.plan import KIB, MIB, Fault, Plan

pytestmark = pytest.mark.nixl

PLANTED = {
    "zeros": (Fault(kind="zeros"), 256 * KIB),
    "one_nic": (Fault(kind="one_nic", value=1), 4 * MIB),
}


@pytest.mark.parametrize("name", PLANTED)
def test_fault(exchange: Exchanges, agents: Callable[..., Plan], name: str) -> None:
    fault, size_bytes = PLANTED[name]
    exchange(agents("nixl-write", rails=2, size_bytes=size_bytes, faults=(fault,)))
