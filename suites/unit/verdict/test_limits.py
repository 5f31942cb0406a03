"""A tier's limits: read from its file, and refused when the file is wrong."""

from __future__ import annotations

import pytest

from harness.errors import EvidenceError
from harness.verdict.limits import TierLimits, read_limits, tier_limits

GOOD = """
gpu_gb_s_min = 9.0
nics = 4
nics_gb_s_min = 10.0
transfer_mib = 64
transfer_ms_max = 8.5
scaling_share_min = 0.975
one_channel_gb_s_min = 2.75
"""


def test_the_vendors_tier_promises_what_its_documents_do() -> None:
    assert tier_limits("two-node-tcpx") == TierLimits(
        gpu_gb_s_min=9.0,
        nics=4,
        nics_gb_s_min=10.0,
        transfer_mib=64,
        transfer_ms_max=8.5,
        scaling_share_min=0.975,
        one_channel_gb_s_min=2.75,
    )


def test_a_tier_without_a_promise_is_an_error() -> None:
    with pytest.raises(EvidenceError, match="tier testbed has no limits"):
        tier_limits("testbed")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("nics = 4\n", "", "nics is missing"),
        ("nics = 4", "nic = 4\nnics = 4", "nic is unknown"),
        ("9.0", "0.0", "gpu_gb_s_min is 0.0, expected a number above 0"),
        ("9.0", '"9"', "gpu_gb_s_min is '9', expected a number above 0"),
        ("9.0", "inf", "gpu_gb_s_min is inf"),
        ("9.0", "true", "gpu_gb_s_min is True"),
    ],
)
def test_a_bad_file_is_told_what_is_wrong(old: str, new: str, problem: str) -> None:
    assert read_limits(GOOD, "good") == tier_limits("two-node-tcpx")
    with pytest.raises(EvidenceError) as caught:
        read_limits(GOOD.replace(old, new, 1), "bad")
    assert problem in str(caught.value)
