"""Speed claims that suites make over several exchanges: the line's rate, growth with channels,
and chunks that go where there is room.

The line's payload rate is what is left of its rate after headers: a frame of MTU + 14 bytes carries
MTU - 52 of payload (20 IP, 32 TCP with timestamps). Roles with a GPU each cannot be faster than its
PCIe link. A rate that was not measured proves nothing, nor does one of a throttled or shared GPU.
Other work on a machine only ever takes speed away, so a slow exchange may be repeated and the
fastest counts; how many there were is said in the verdict.
"""

from __future__ import annotations

from harness.evidence import Judged
from harness.verdict.exchange import Exchange
from harness.verdict.finding import breaks, holds
from harness.verdict.gpu_fit import device_gb_s, unfit
from harness.verdict.gpus import shared
from harness.verdict.limits import LIMITS

ETHERNET_BYTES = 14
IP_TCP_BYTES = 52
DEFAULT_MTU = 1500


def line_gb_s(exchange: Exchange) -> float:
    """Payload that the NICs in use, and the GPUs' own links, can carry, 1e9 bytes a second; 0 where
    no rate is stated."""
    planned = exchange.planned
    mtu = planned.mtu or DEFAULT_MTU
    nics = min(
        len({exchange.nic(role, c) for c in range(exchange.plan.channels)})
        for role in exchange.nodes
    )
    lines = nics * planned.rate_gbit_s / 8 * (mtu - IP_TCP_BYTES) / (mtu + ETHERNET_BYTES)
    return min(lines, device_gb_s(exchange) or lines)


def is_slow(exchange: Exchange) -> bool:
    """Whether it had less than its share of a line whose rate is known."""
    return 0 < exchange.gb_s < LIMITS.rate_share * line_gb_s(exchange)


def rate(
    exchange: Exchange,
    *,
    test: str,
    claim: str,
    tries: int = 1,
    at_least: float = LIMITS.rate_share,
) -> Judged:
    """The exchange, the fastest of `tries`, reached `at_least` of what its lines can carry, and no
    more than they can."""
    if found := unfit(exchange, test=test, claim=claim):
        return found
    line, seen = line_gb_s(exchange), exchange.gb_s
    if found := _unmeasured(exchange, test, claim, line, seen):
        return found
    share = seen / line
    fact = f"{seen:.3f} GB/s, {share:.1%} of {line:.3f} GB/s that the lines carry less headers"
    if shared(exchange):
        fact += ", both roles on one GPU"
    if tries > 1:
        fact += f", the fastest of {tries} exchanges"
    return _held(exchange, test, claim, fact, share, at_least, ", expected {} {:.1%}")


def scaling(
    one: Exchange,
    many: Exchange,
    *,
    test: str,
    claim: str,
    at_least: float = LIMITS.scaling_share,
) -> Judged:
    """`many` is `at_least` as many times faster than `one` as it has times the channels."""
    for exchange in (one, many):
        if found := unfit(exchange, test=test, claim=claim):
            return found
    if one.gb_s <= 0 or many.gb_s <= 0:
        return _red(many, test, claim, "NO_EVIDENCE", "no rate was measured")
    ideal = many.plan.channels / one.plan.channels
    ratio = many.gb_s / one.gb_s
    fact = (
        f"{many.plan.channels} channels {many.gb_s:.3f} GB/s, {one.plan.channels} "
        f"{one.gb_s:.3f} GB/s: {ratio:.2f} times"
    )
    if ratio < at_least * ideal:
        klass = "NO_PARALLELISM" if ratio < LIMITS.parallel_ratio else "SCALING"
        return _red(many, test, claim, klass, f"{fact}, expected {at_least * ideal:.2f}")
    return holds(many, claim, checked=one.plan.iterations, fact=fact, test=test)


def least_loaded(
    dealt: Exchange,
    even: Exchange,
    *,
    slow: float,
    test: str,
    claim: str,
    tries: int = 1,
    at_least: float = LIMITS.dealt_share,
) -> Judged:
    """`dealt` carried `at_least` of what its NICs can, of which one has `slow` of its stated rate.
    What round-robin made of the same NICs, `even`, is told and not judged."""
    if found := unfit(dealt, test=test, claim=claim):
        return found
    nics = len({dealt.nic("client", c) for c in range(dealt.plan.channels)})
    line = line_gb_s(dealt) * (nics - 1 + slow) / max(nics, 1)
    if found := _unmeasured(dealt, test, claim, line, min(dealt.gb_s, even.gb_s)):
        return found
    share = dealt.gb_s / line
    fact = (
        f"{dealt.gb_s:.3f} GB/s, {share:.2f} of {line:.3f} GB/s that {nics} NICs carry, one at "
        f"{slow:g} of its rate; round-robin {even.gb_s:.3f} GB/s, {even.gb_s / line:.2f}"
    )
    if tries > 1:
        fact += f"; the last of {tries} exchanges, those before were slower than expected"
    return _held(dealt, test, claim, fact, share, at_least, "; expected {} {:.2f}")


def _unmeasured(
    exchange: Exchange, test: str, claim: str, line_gb_s: float, slowest_gb_s: float
) -> Judged | None:
    """What cannot be judged without a line to compare with, or without a rate."""
    if line_gb_s > 0 and slowest_gb_s > 0:
        return None
    what = "no line rate is stated" if line_gb_s <= 0 else "no rate was measured"
    return _red(exchange, test, claim, "NO_EVIDENCE", what)


def _held(
    exchange: Exchange,
    test: str,
    claim: str,
    fact: str,
    share: float,
    at_least: float,
    expected: str,
) -> Judged:
    """A share of the line within its band; `expected` is how the bound is said."""
    if share < at_least:
        return _red(exchange, test, claim, "SLOW", fact + expected.format("at least", at_least))
    if share > (most := LIMITS.rate_share_max):
        return _red(exchange, test, claim, "TOO_FAST", fact + expected.format("at most", most))
    return holds(exchange, claim, checked=exchange.plan.iterations, fact=fact, test=test)


def _red(exchange: Exchange, test: str, claim: str, klass: str, fact: str) -> Judged:
    return breaks(exchange, claim, klass, fact, at_s=exchange.ended_s, test=test)
