"""What an exchange must reach on its tier: figures that the transport's documents promise.

Each check is of exchanges that could show it: one of another shape is no evidence, never a pass.
Growth with channels is `scaling` in speed.py, held to the tier's share.
"""

from __future__ import annotations

from statistics import median

from harness.evidence import IterationDone, Judged
from harness.plan import MIB
from harness.verdict.exchange import Exchange
from harness.verdict.finding import breaks, holds
from harness.verdict.limits import TierLimits


def gpu_rate(exchange: Exchange, limits: TierLimits, *, test: str, claim: str) -> Judged:
    """The exchange's one GPU received as fast as it must."""
    return _at_least(exchange, limits.gpu_gb_s_min, "a GPU", test, claim)


def nics_rate(exchange: Exchange, limits: TierLimits, *, test: str, claim: str) -> Judged:
    """All the tier's NICs together are as fast as they must be."""
    used = {exchange.nic("client", channel) for channel in range(exchange.plan.channels)}
    if len(used) != limits.nics:
        return _nothing(exchange, f"{len(used)} NICs, expected {limits.nics}", test, claim)
    return _at_least(exchange, limits.nics_gb_s_min, f"{limits.nics} NICs", test, claim)


def one_channel(exchange: Exchange, limits: TierLimits, *, test: str, claim: str) -> Judged:
    """One channel alone is no slower than it was before there were several."""
    if exchange.plan.channels != 1:
        return _nothing(exchange, f"{exchange.plan.channels} channels, expected 1", test, claim)
    return _at_least(exchange, limits.one_channel_gb_s_min, "one channel", test, claim)


def transfer_time(exchange: Exchange, limits: TierLimits, *, test: str, claim: str) -> Judged:
    """A transfer of the tier's size takes no longer than it may: the median iteration's."""
    wanted, size = limits.transfer_mib * MIB, exchange.plan.size_bytes
    if size != wanted:
        return _nothing(exchange, f"iterations of {size:,} bytes, not {wanted:,}", test, claim)
    done = [seen.record for seen in exchange.seen(IterationDone, role="client")]
    times_ms = [(one.ended_s - one.started_s) * 1e3 for one in done if one.ended_s > one.started_s]
    if not times_ms:
        return _nothing(exchange, "no iteration was measured", test, claim)
    fact = f"{limits.transfer_mib} MiB in {median(times_ms):.3f} ms, median of {len(times_ms)}"
    if median(times_ms) > limits.transfer_ms_max:
        return _slow(exchange, f"{fact}, expected at most {limits.transfer_ms_max:g}", test, claim)
    return holds(exchange, claim, checked=len(times_ms), fact=fact, test=test)


def _at_least(exchange: Exchange, least: float, of: str, test: str, claim: str) -> Judged:
    seen = exchange.gb_s
    if seen <= 0:
        return _nothing(exchange, "no rate was measured", test, claim)
    fact = f"{seen:.3f} GB/s for {of}"
    if seen < least:
        return _slow(exchange, f"{fact}, expected at least {least:g}", test, claim)
    return holds(exchange, claim, checked=exchange.plan.iterations, fact=fact, test=test)


def _slow(exchange: Exchange, fact: str, test: str, claim: str) -> Judged:
    return breaks(exchange, claim, "SLOW", fact, at_s=exchange.ended_s, test=test)


def _nothing(exchange: Exchange, fact: str, test: str, claim: str) -> Judged:
    return breaks(exchange, claim, "NO_EVIDENCE", fact, at_s=exchange.ended_s, test=test)
