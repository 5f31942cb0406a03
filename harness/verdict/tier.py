"""What an exchange must reach on its tier: figures that the transport's documents promise.

Each check is of exchanges that could show it: one of another shape, or over another transport than
the vendor's plugin, is no evidence, never a pass. A GPU that was throttled or shared leaves
all open.
"""

from __future__ import annotations

from statistics import median

from harness.evidence import IterationDone, Judged
from harness.plan import MIB
from harness.verdict.exchange import Exchange
from harness.verdict.finding import breaks, holds
from harness.verdict.gpu_fit import unfit
from harness.verdict.limits import TierLimits
from harness.verdict.speed import scaling

TRANSPORT = "nccl-net"


def gpu_rate(exchange: Exchange, limits: TierLimits, *, test: str, claim: str) -> Judged:
    """The exchange's one GPU received as fast as it must."""
    if not exchange.plan.is_on_gpus:
        seen = f"the buffers were in {exchange.plan.memory} memory, expected a GPU's"
        return _nothing(exchange, seen, test, claim)
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
    if found := _unshown(exchange, test, claim):
        return found
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


def growth(one: Exchange, many: Exchange, limits: TierLimits, *, test: str, claim: str) -> Judged:
    """`many` channels are as many times faster than `one` as the tier asks."""
    if found := _unshown(one, test, claim) or _unshown(many, test, claim):
        return found
    return scaling(one, many, test=test, claim=claim, at_least=limits.scaling_share_min)


def _unshown(exchange: Exchange, test: str, claim: str) -> Judged | None:
    """Why the exchange says nothing of the tier, whatever its speed was."""
    if exchange.plan.transport != TRANSPORT:
        seen = f"the transport was {exchange.plan.transport!r}, expected {TRANSPORT!r}"
        return _nothing(exchange, seen, test, claim)
    return unfit(exchange, test=test, claim=claim)


def _at_least(exchange: Exchange, least: float, of: str, test: str, claim: str) -> Judged:
    if found := _unshown(exchange, test, claim):
        return found
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
