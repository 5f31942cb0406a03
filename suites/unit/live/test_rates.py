"""GB/s of a NIC is what it moved in the last second, by the node's own clock."""

from __future__ import annotations

import pytest

from harness.evidence import NicCount, NicCounters
from harness.live.rates import Rates


def sample(at_s: float, **moved: int) -> NicCounters:
    nics = tuple(
        NicCount(name=n, bytes_sent=size, bytes_recv=0, packets_sent=0, packets_recv=0)
        for n, size in moved.items()
    )
    return NicCounters(node="alpha", phase="sample", at_s=at_s, nics=nics)


def rates(*samples: NicCounters) -> Rates:
    made = Rates()
    for one in samples:
        made.take(one)
    return made


def test_a_nic_that_a_sample_leaves_out_stood_still() -> None:
    made = rates(sample(5.0, eth1=0, eth2=7), sample(5.5, eth1=10**9), sample(6.0))
    assert made.gb_s(["eth1", "eth2"]) == {"eth1": pytest.approx(1.0), "eth2": 0.0}


def test_only_the_last_second_counts() -> None:
    made = rates(*(sample(n / 10, eth1=min(n, 20) * 10**8) for n in range(41)))
    assert made.gb_s(["eth1"])["eth1"] == pytest.approx(0.0)
    busy = rates(*(sample(n / 10, eth1=n * 10**8) for n in range(41)))
    assert busy.gb_s(["eth1"])["eth1"] == pytest.approx(1.0)


def test_one_sample_tells_no_rate_and_a_nic_that_nobody_saw_has_none() -> None:
    assert rates(sample(1.0, eth1=5)).gb_s(["eth1"]) == {}
    assert rates().gb_s(["eth1"]) == {}
    assert rates(sample(1.0, eth1=5), sample(2.0, eth1=6)).gb_s(["eth9"]) == {}
    assert rates(sample(1.0, eth1=5), sample(1.0, eth1=6)).gb_s(["eth1"]) == {}
