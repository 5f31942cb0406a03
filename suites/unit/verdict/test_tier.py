"""Each figure of the vendor's tier, on both sides of its limit, and what is no evidence for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from harness.evidence import Entry, GpuHealth, IterationDone, Judged
from harness.verdict.exchange import Exchange
from harness.verdict.limits import TierLimits, tier_limits
from harness.verdict.tier import gpu_rate, growth, nics_rate, one_channel, transfer_time
from suites.unit.verdict.clean import changed, clean, node_time

LIMITS = tier_limits("two-node-tcpx")
SIZE = 64 * 2**20
Claim = Callable[..., Judged]


PLUGIN = {"transport": "nccl-net", "plugin": "/opt/plugin.so"}


def at(gb_s: float, *, channels: int = 4, size_bytes: int = SIZE) -> Exchange:
    return plugged(timed(gb_s, channels=channels, size_bytes=size_bytes, memory="cuda"))


def plugged(entries: list[Entry]) -> Exchange:
    """Over the plugin, also with GPU memory, which as yet no plan can ask for."""
    exchange = Exchange(entries)
    object.__setattr__(exchange.plan, "transport", "nccl-net")
    return exchange


def timed(gb_s: float, *, size_bytes: int = SIZE, **plan: Any) -> list[Entry]:
    """An exchange whose one iteration ran at `gb_s` by the client's clock."""
    entries = clean(size_bytes=size_bytes, **plan)
    started_s = node_time("beta", 0.5)
    fields = {"started_s": started_s, "ended_s": started_s + size_bytes / gb_s / 1e9}
    return changed(entries, IterationDone, where={"role": "client"}, **fields)


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
    found = growth(one, four, LIMITS, test="t", claim="c")
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
    still = changed(timed(1.0, memory="cuda"), IterationDone, started_s=1.0, ended_s=1.0)
    assert judged(claim, plugged(still)) == ("INCONCLUSIVE", "NO_EVIDENCE")


GROWTH = partial(growth, at(2.75, channels=1))
CLAIMS = [gpu_rate, nics_rate, transfer_time, one_channel, GROWTH]


@pytest.mark.parametrize("claim", CLAIMS)
def test_our_own_sockets_say_nothing_of_the_tier(claim: Claim) -> None:
    ours = Exchange(timed(20.0, channels=1 if claim is one_channel else 4, memory="cuda"))
    found = claim(ours, LIMITS, test="t", claim="c")
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")
    assert found.fact == "the transport was 'sockets', expected 'nccl-net'"


def test_host_memory_says_nothing_of_a_gpu() -> None:
    found = gpu_rate(host := Exchange(timed(20.0, **PLUGIN)), LIMITS, test="t", claim="c")
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")
    assert found.fact == "the buffers were in host memory, expected a GPU's"
    assert judged(nics_rate, host) == ("PASS", "")


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("gb_s", [0.5, 20.0])
def test_a_throttled_gpu_leaves_every_figure_open(claim: Claim, gb_s: float) -> None:
    entries = timed(gb_s, channels=1 if claim is one_channel else 4, memory="cuda")
    where = {"node": "alpha", "phase": "settled"}
    held = changed(entries, GpuHealth, where=where, throttled_ns={"power_cap": 6_000_000_000})
    found = claim(plugged(held), LIMITS, test="t", claim="c")
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "GPU_THROTTLED")
    assert (found.node, found.gpu) == ("alpha", 0)
