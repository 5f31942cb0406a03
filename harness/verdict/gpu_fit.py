"""Whether an exchange's GPUs may be measured at all, and what they can carry.

A GPU whose clocks were held down, or that somebody else used, makes every claim of speed open; what
was moved was moved all the same, so no other claim is touched.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.evidence import Judged
from harness.verdict.exchange import Exchange
from harness.verdict.finding import breaks
from harness.verdict.gpu_clocks import throttled
from harness.verdict.gpu_users import strangers
from harness.verdict.gpus import Used, devices, health, shared
from harness.verdict.limits import LIMITS

LANE_GT_S = {1: 2.5, 2: 5.0, 3: 8.0, 4: 16.0, 5: 32.0, 6: 64.0}  # by generation
CODED = {1: 0.8, 2: 0.8}  # 8b/10b; later ones lose next to nothing


def unfit(exchange: Exchange, *, test: str, claim: str) -> Judged | None:
    """Why nothing can be said of the exchange's speed; None when its GPUs stand in no way."""
    for klass, node, gpu, fact, at_s in _reasons(exchange):
        return breaks(exchange, claim, klass, fact, at_s=at_s, node=node, gpu=gpu, test=test)
    return None


def _reasons(exchange: Exchange) -> Iterator[tuple[str, str, int, str, float]]:
    """Class, node, GPU, fact and time of each."""
    for one in devices(exchange):
        if not one.uuid:
            fact = "nobody could read the GPU: whether something slowed it is not known"
            yield "NO_EVIDENCE", one.node, one.gpu, fact, exchange.ended_s
    for slow in throttled(exchange):
        yield "GPU_THROTTLED", slow.node, slow.gpu, slow.fact, slow.at_s
    for other in strangers(exchange):
        yield "GPU_FOREIGN", other.node, other.gpu, other.fact, other.first_s


def device_gb_s(exchange: Exchange) -> float:
    """Payload that the slower GPU's PCIe link carries; 0 where no device bounds the exchange.

    One GPU for both roles is a testbed's: what it carries both ways is no figure of a device, and
    the exchange is held to the limit of its tier, what the lines carry, alone.
    """
    if shared(exchange):
        return 0.0
    links = [_link_gb_s(exchange, one) for one in devices(exchange)]
    return min(filter(None, links), default=0.0)


def _link_gb_s(exchange: Exchange, one: Used) -> float:
    readings = health(exchange, one)
    if readings is None:
        return 0.0
    link = readings[1].record
    generation = link.pcie_generation_max or 0
    lane_gb_s = LANE_GT_S.get(generation, 0.0) * CODED.get(generation, 128 / 130) / 8
    return lane_gb_s * (link.pcie_width_max or 0) * LIMITS.pcie_share
