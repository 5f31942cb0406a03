"""Each figure of the vendor's tier, on both sides of its limit, and what is no evidence for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.evidence import IterationDone, Judged
from harness.verdict import scaling
from harness.verdict.exchange import Exchange
from harness.verdict.limits import TierLimits, tier_limits
from harness.verdict.tier import gpu_rate, nics_rate, one_channel, transfer_time
from suites.unit.verdict.clean import changed, clean, node_time

LIMITS = tier_limits("two-node-tcpx")
SIZE = 64 * 2**20
Claim = Callable[..., Judged]


def at(gb_s: float, *, channels: int = 4, size_bytes: int = SIZE) -> Exchange:
    """An exchange whose one iteration ran at `gb_s` by the client's clock."""
    entries = clean(channels=channels, size_bytes=size_bytes)
    started_s = node_time("beta", 0.5)
    fields = {"started_s": started_s, "ended_s": started_s + size_bytes / gb_s / 1e9}
    return Exchange(changed(entries, IterationDone, where={"role": "client"}, **fields))


def taking(time_ms: float) -> Exchange:
    return at(SIZE / time_ms / 1e6)


def judged(claim: Claim, exchange: Exchange, limits: TierLimits = LIMITS) -> tuple[str, str]:
    found = claim(exchange, limits, test="t", claim="c")
    assert (found.test, found.claim) == ("t", "c")
    assert (found.checked > 0) == (found.outcome == "PASS")
    return found.outcome, found.klass


@pytest.mark.parametrize(
    ("claim", "limit", "channels"),
    [
        (gpu_rate, LIMITS.gpu_gb_s_min, 4),
        (nics_rate, LIMITS.nics_gb_s_min, 4),
        (one_channel, LIMITS.one_channel_gb_s_min, 1),
    ],
)
def test_a_rate_is_held_to_its_limit_from_both_sides(
    claim: Claim, limit: float, channels: int
) -> None:
    assert judged(claim, at(limit * 1.001, channels=channels)) == ("PASS", "")
    assert judged(claim, at(limit * 0.999, channels=channels)) == ("FAIL", "SLOW")


def test_a_transfer_is_held_to_its_time_from_both_sides() -> None:
    assert judged(transfer_time, taking(8.49)) == ("PASS", "")
    assert judged(transfer_time, taking(8.51)) == ("FAIL", "SLOW")


def test_a_slow_one_says_what_was_seen_and_expected() -> None:
    found = transfer_time(taking(9.0), LIMITS, test="t", claim="c")
    assert found.fact == "64 MiB in 9.000 ms, median of 1, expected at most 8.5"
    found = gpu_rate(at(8.0), LIMITS, test="t", claim="c")
    assert found.fact == "8.000 GB/s for a GPU, expected at least 9"


@pytest.mark.parametrize(("times", "verdict"), [(3.91, "PASS"), (3.89, "FAIL")])
def test_growth_is_held_to_the_tiers_share(times: float, verdict: str) -> None:
    one, four = at(2.75, channels=1), at(2.75 * times)
    found = scaling(one, four, test="t", claim="c", at_least=LIMITS.scaling_share_min)
    assert found.outcome == verdict


@pytest.mark.parametrize(
    ("claim", "exchange"),
    [
        (nics_rate, at(20.0, channels=2)),  # two NICs say nothing of four
        (one_channel, at(20.0)),
        (transfer_time, at(20.0, size_bytes=SIZE // 2)),
    ],
)
def test_an_exchange_of_another_shape_is_no_evidence(claim: Claim, exchange: Exchange) -> None:
    assert judged(claim, exchange) == ("INCONCLUSIVE", "NO_EVIDENCE")


@pytest.mark.parametrize("claim", [gpu_rate, nics_rate, transfer_time])
def test_what_was_not_measured_is_no_evidence(claim: Claim) -> None:
    still = Exchange(changed(clean(size_bytes=SIZE), IterationDone, started_s=1.0, ended_s=1.0))
    assert judged(claim, still) == ("INCONCLUSIVE", "NO_EVIDENCE")
