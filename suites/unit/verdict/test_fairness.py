"""Every NIC's share of the bytes."""

from __future__ import annotations

import pytest

from harness.evidence import Entry, NicCounters
from harness.plan import KIB, TRANSFER_CLAIMS
from harness.verdict.exchange import Exchange
from harness.verdict.fairness import fairness
from suites.unit.verdict.clean import clean, counted, frozen, without

MIB = 2**20
CLAIMS = (*TRANSFER_CLAIMS, "fairness")


def judged(entries: list[Entry]):
    return fairness(Exchange(entries))


@pytest.mark.parametrize("channels", [1, 4, 8])
def test_round_robin_is_fair(channels: int) -> None:
    found = judged(clean(channels=channels, claims=CLAIMS))
    assert (found.outcome, found.checked) == ("PASS", 2 * min(channels, 4))


def test_an_uneven_plan_is_fair_when_the_plan_says_so() -> None:
    assert judged(clean(channels=4, size_bytes=9 * 512 * KIB)).outcome == "PASS"


@pytest.mark.parametrize(
    ("node", "field"), [("alpha", "bytes_recv"), ("beta", "bytes_sent")], ids=["server", "client"]
)
def test_a_nic_with_more_than_its_share_is_named(node: str, field: str) -> None:
    big = clean(size_bytes=256 * MIB)
    found = judged(counted(big, node, "eth2", **{field: 8 * MIB}))
    assert (found.outcome, found.klass) == ("FAIL", "FAIRNESS")
    assert (found.node, found.nic) == (node, "eth2")
    assert len(found.evidence) == 8


def test_one_chunk_more_or_less_is_fair_in_a_small_exchange() -> None:
    assert judged(counted(clean(), "beta", "eth2", bytes_sent=400 * KIB)).outcome == "PASS"


@pytest.mark.parametrize("phase", ["idle", "settled"])
def test_without_counters_nothing_is_known(phase: str) -> None:
    found = judged(without(clean(), NicCounters, node="beta", phase=phase))
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "COUNTER")


def test_counters_that_all_stood_still_share_nothing() -> None:
    entries = clean()
    for nic in ("eth1", "eth2", "eth3", "eth4"):
        entries = frozen(entries, "beta", nic)
    found = judged(entries)
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "COUNTER")
