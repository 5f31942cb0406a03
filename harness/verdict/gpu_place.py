"""Whether the inventory pairs a GPU with the NIC that is nearest to it, and knows its NUMA node.

Distance is in PCI links. A pair with a NIC that is not on PCI, as the testbed's, is not compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.evidence import GpuPlace, NicPlace
from harness.verdict.exchange import Exchange
from harness.verdict.gpus import used


@dataclass(frozen=True, slots=True, kw_only=True)
class Misplaced:
    """What the inventory says of a GPU's place, and what the machine says."""

    node: str
    gpu: int
    nic: str
    fact: str
    at_s: float = 0.0


def misplaced(exchange: Exchange) -> list[Misplaced]:
    """Of the GPUs that the exchange uses."""
    return [
        Misplaced(node=one.node, gpu=one.gpu, nic=one.nic, fact=fact, at_s=seen.at_s)
        for one in used(exchange)
        if (seen := exchange.last(GpuPlace, node=one.node, gpu=one.gpu))
        for fact in wrong(seen.record, one.nic, one.numa)
    ]


def wrong(place: GpuPlace, nic: str, numa: int) -> Iterator[str]:
    """Every way in which a stated NIC and NUMA node ('' and -1: not stated) differ from it."""
    stated = next((other for other in place.nics if other.name == nic), None)
    near = nearest(place)
    if stated and not stated.bus_id:
        return  # a testbed's: its pairs are another machine's in miniature
    if stated and near and _beyond(stated) > _beyond(near):
        yield (
            f"{place.bus_id} is paired with {stated.name} ({stated.bus_id}), {words(stated)}; "
            f"{near.name} ({near.bus_id}) is nearer, {words(near)}"
        )
    if -1 not in (numa, place.numa) and numa != place.numa:
        yield f"{place.bus_id} is stated on NUMA node {numa} and sits on {place.numa}"


def nearest(place: GpuPlace) -> NicPlace | None:
    """The NIC with the fewest links in between; None when all are on other roots."""
    return min((n for n in place.nics if n.hops >= 0), key=_beyond, default=None)


def words(nic: NicPlace) -> str:
    """How far a NIC is."""
    if not nic.bus_id:
        return "not on PCI"
    return f"{nic.hops} PCI links away" if nic.hops >= 0 else "on another PCI root"


def _beyond(nic: NicPlace) -> float:
    return float(nic.hops) if nic.hops >= 0 else float("inf")
