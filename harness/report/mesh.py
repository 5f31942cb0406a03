"""Exchanges that ran at once, as reports tell them: a row a GPU, a row a NIC, a verdict a GPU.

A row's figures are sums over channels by the server's account, each where its sockets were; time
is from the first start to the last end of whoever is in the row. Beside what a NIC's channels
delivered stands what its counter rose by at the receiver.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.evidence import ChannelDone, IterationDone, Judged
from harness.report.exchanges import Told
from harness.verdict import cause
from harness.verdict.counters import rises


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One GPU, or one way from NIC to NIC. `words` are those that were verified."""

    nics: str  # client's to server's
    gpus: tuple[int, ...]
    bytes: int
    words: int
    gb_s: float
    share: float  # of all bytes of the mesh


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuRow(Row):
    """`judged` is the GPU's one verdict: its cause, or the first of its claims that held."""

    judged: Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class NicRow(Row):
    counted_bytes: int  # what the server's NIC received; -1 when nobody could read it


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """All exchanges of one mesh, in the order of their GPUs."""

    name: str
    told: tuple[Told, ...]

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.told)

    @property
    def words(self) -> int:
        return sum(one.words_verified for one in self.told)

    @property
    def gb_s(self) -> float:
        """Of all together, by the clock of the clients' node."""
        done = [s.record for one in self.told for s in one.seen.seen(IterationDone, role="client")]
        return _gb_s(sum(each.bytes for each in done), done)

    @property
    def gpus(self) -> list[GpuRow]:
        return [self._gpu(one) for one in self.told]

    @property
    def nics(self) -> list[NicRow]:
        ways: dict[str, list[tuple[Told, int]]] = {}
        for one in self.told:
            for channel in one.channels:
                ways.setdefault(_way(channel.nics), []).append((one, channel.channel))
        return [self._nic(nics, ways[nics]) for nics in sorted(ways)]

    def _gpu(self, one: Told) -> GpuRow:
        ways = dict.fromkeys(_way(channel.nics) for channel in one.channels)
        return GpuRow(
            nics=", ".join(ways),
            gpus=(one.seen.plan.gpu,),
            bytes=one.bytes,
            words=one.words_verified,
            gb_s=one.seen.gb_s,
            share=self._share(one.bytes),
            judged=cause(one.judged),
        )

    def _nic(self, nics: str, channels: Sequence[tuple[Told, int]]) -> NicRow:
        done = [
            seen.record
            for one, channel in channels
            for seen in one.seen.seen(ChannelDone, role="server", channel=channel)
        ]
        total = sum(each.bytes for each in done)
        return NicRow(
            nics=nics,
            gpus=tuple(dict.fromkeys(one.seen.plan.gpu for one, _ in channels)),
            bytes=total,
            words=sum(each.words_verified for each in done),
            gb_s=_gb_s(total, done),
            share=self._share(total),
            counted_bytes=_counted(channels[0][0], nics.rpartition(" ")[2]),
        )

    def _share(self, part: int) -> float:
        return part / self.bytes if self.bytes else 0.0


def meshes(told: Iterable[Told]) -> list[Mesh]:
    """Every mesh that exchanges among `told` are of."""
    groups: dict[str, list[Told]] = {}
    for one in told:
        if one.seen.planned.mesh:
            groups.setdefault(one.seen.planned.mesh, []).append(one)
    return [
        Mesh(name=name, told=tuple(sorted(group, key=lambda one: one.seen.plan.gpu)))
        for name, group in groups.items()
    ]


def observed(told: Iterable[Told]) -> list[Told]:
    """One exchange of each mesh, its first, and all that ran alone: what observers saw while a mesh
    ran is told of every exchange of it, and happened once."""
    first: dict[str, Told] = {}
    for one in told:
        first.setdefault(one.seen.planned.mesh or one.seen.name, one)
    return list(first.values())


def _way(nics: dict[str, str]) -> str:
    return f"{nics['client']} to {nics['server']}"


def _gb_s(total: int, done: Sequence[ChannelDone] | Sequence[IterationDone]) -> float:
    if not done:
        return 0.0
    elapsed_s = max(each.ended_s for each in done) - min(each.started_s for each in done)
    return total / elapsed_s / 1e9 if elapsed_s > 0 else 0.0


def _counted(one: Told, nic: str) -> int:
    found = (rise for rise in rises(one.seen, one.seen.nodes["server"]) if rise.nic == nic)
    return next((rise.bytes for rise in found if rise.direction == "received"), -1)
