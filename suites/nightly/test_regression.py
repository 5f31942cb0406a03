"""Last: is anything that this run has measured slower than in the last good nights?"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fixtures.exchange import Settle
from fixtures.regression import Compare
from harness.regression.claim import judged, judged_scaling
from harness.regression.scaling import scaling
from suites.nightly.shapes import CHANNELS, CHUNKS_KIB, TOGETHER

pytestmark = pytest.mark.nightly

ALONE = [f"test_every_nic_alone[{kib}]" for kib in CHUNKS_KIB]
SEVERAL = [
    pytest.param(f"test_together[{n}-{kib}]", marks=pytest.mark.requires(nics_per_node=n))
    for n in CHANNELS
    for kib in CHUNKS_KIB
]


@pytest.mark.parametrize("measured", [*ALONE, *SEVERAL])
def test_no_figure_is_worse_than_it_was(
    measured: str,
    nodes: object,
    claims: Callable[[str], Settle],
    compare: Compare,
    request: pytest.FixtureRequest,
) -> None:
    settle = claims("regression")
    found = compare.of(_measuring(request) + measured)
    settle(judged(found, test=request.node.nodeid, claim="regression"))


@pytest.mark.requires(stated_rate=True)
@pytest.mark.parametrize("chunk_kib", CHUNKS_KIB)
@pytest.mark.parametrize("channels", TOGETHER)
def test_channels_carry_together_what_their_nics_carry_alone(
    channels: int,
    chunk_kib: int,
    nodes: object,
    claims: Callable[[str], Settle],
    compare: Compare,
    request: pytest.FixtureRequest,
) -> None:
    settle = claims("scaling-law")
    tests = _measuring(request)
    alone = compare.alone(f"{tests}test_every_nic_alone[{chunk_kib}]")
    together = compare.nights(f"{tests}test_together[{channels}-{chunk_kib}]")
    found = scaling(alone, together)
    settle(judged_scaling(found, test=request.node.nodeid, claim="scaling-law"))


def _measuring(request: pytest.FixtureRequest) -> str:
    """How the tests that measured are called, up to their names."""
    return request.node.nodeid.partition("test_regression.py")[0] + "test_measure.py::"
