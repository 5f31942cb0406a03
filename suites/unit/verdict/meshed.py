"""A mesh in which everything adds up, as data: GPUs 0 and 1 share eth1, 2 and 3 eth2.

It is made of clean exchanges. What the observers saw belongs to all: their counters are the sum of
what the exchanges moved, and it is written once, under the mesh's name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.evidence import (
    ChannelMapped,
    ChannelSockets,
    ClockMeasured,
    Entry,
    ExchangePlanned,
    NicCount,
    NicCounters,
    SocketSeen,
    SocketsSeen,
)
from harness.plan import MIB
from suites.unit.verdict.clean import NICS, clean

MESH = "main-1"
GPUS = 4
SHARED = (NicCounters, SocketsSeen, ClockMeasured)


def nic(gpu: int) -> str:
    return NICS[gpu // 2]


def name(gpu: int) -> str:
    return f"{MESH}-gpu{gpu}"


def mesh(**plan: Any) -> list[Entry]:
    """All entries of it, in the order of their times."""
    plan = {"channels": 2, "size_bytes": 4 * MIB, "own_nic": True, **plan}
    parts = [[_moved(e, gpu) for e in clean(name(gpu), gpu=gpu, **plan)] for gpu in range(GPUS)]
    own = [e for part in parts for e in part if not isinstance(e.record, SHARED)]
    together = [
        replace(mates[0], exchange=MESH, record=_sum([mate.record for mate in mates]))
        for mates in zip(*(_shared(part) for part in parts), strict=True)
    ]
    ordered = sorted([*own, *together], key=lambda entry: (entry.at_s, entry.exchange))
    return [replace(entry, seq=seq) for seq, entry in enumerate(ordered)]


def of(entries: list[Entry], gpu: int) -> list[Entry]:
    """Those of one exchange alone."""
    return [entry for entry in entries if entry.exchange == name(gpu)]


def spoilt(entries: list[Entry], gpu: int, spoil: Any) -> list[Entry]:
    """The mesh with one exchange's own entries put through `spoil`."""
    rest = [entry for entry in entries if entry.exchange != name(gpu)]
    return sorted([*rest, *spoil(of(entries, gpu))], key=lambda entry: (entry.at_s, entry.exchange))


def _shared(part: list[Entry]) -> list[Entry]:
    return [entry for entry in part if isinstance(entry.record, SHARED)]


def _moved(entry: Entry, gpu: int) -> Entry:
    """What clean() puts on eth1 and eth2, on the GPU's own NIC, with ports of its own."""
    record = entry.record
    if isinstance(record, ExchangePlanned):
        nics = {role: [nic(gpu)] for role in record.nics}
        record = replace(record, mesh=MESH, nics=nics)
    elif isinstance(record, (ChannelSockets, SocketsSeen)):
        record = replace(record, sockets=tuple(_socket(s, gpu) for s in record.sockets))
    elif isinstance(record, ChannelMapped):
        address = _address(record.handle_address, gpu)
        record = replace(record, nic=nic(gpu), handle_address=address)
    elif isinstance(record, NicCounters):
        record = replace(record, nics=_counts(record.nics, gpu))
    return replace(entry, record=record)


def _socket(seen: SocketSeen, gpu: int) -> SocketSeen:
    return replace(
        seen,
        nic=nic(gpu),
        bound_device=nic(gpu),
        local_address=_address(seen.local_address, gpu),
        peer_address=_address(seen.peer_address, gpu),
        local_port=seen.local_port + 100 * gpu,
        peer_port=seen.peer_port + 100 * gpu,
    )


def _address(address: str, gpu: int) -> str:
    first, second, _, node = address.split(".")
    return f"{first}.{second}.{gpu // 2 + 1}.{node}"


def _counts(counts: tuple[NicCount, ...], gpu: int) -> tuple[NicCount, ...]:
    """All that moved, on the GPU's NIC; the past of each NIC stays where it is."""
    rest = next(count for count in counts if count.name == "eth4")
    moved = [_less(count, rest) for count in counts if count.name in NICS]
    return tuple(
        _plus(replace(rest, name=count.name), *(moved if count.name == nic(gpu) else ()))
        if count.name in NICS
        else count
        for count in counts
    )


def _sum(records: list[Any]) -> Any:
    """What the observers saw of all mates together."""
    first = records[0]
    if isinstance(first, SocketsSeen):
        return replace(first, sockets=tuple(s for record in records for s in record.sockets))
    if not isinstance(first, NicCounters):
        return first
    rest = first.nics[0]
    return replace(
        first,
        nics=tuple(
            _plus(same[0], *(_less(each, replace(rest, name=each.name)) for each in same[1:]))
            for same in zip(*(record.nics for record in records), strict=True)
        ),
    )


COUNTED = ("bytes_sent", "bytes_recv", "packets_sent", "packets_recv")


def _less(count: NicCount, other: NicCount) -> NicCount:
    return replace(count, **{n: getattr(count, n) - getattr(other, n) for n in COUNTED})


def _plus(count: NicCount, *more: NicCount) -> NicCount:
    sums = {n: getattr(count, n) + sum(getattr(m, n) for m in more) for n in COUNTED}
    return replace(count, **sums)
