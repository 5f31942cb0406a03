"""Taking turns: every round runs every peer at every number of channels once, in rotated order.

Machines drift by a quarter within an hour, so only figures of one round are compared. Each waits
for idle cores; one that other work disturbed is taken again, and keeps its mark if that did not
help. A peer that fails leaves an error in its place and is asked again in the next round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from harness.bench import machine
from harness.bench.bed import Bed
from harness.bench.figures import Figure, Load
from harness.bench.peers import Peer
from harness.errors import HarnessError, PeerError

HALF_A_SHARE = 0.5
Show = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One turn's outcome: a figure, or why there is none."""

    peer: str
    channels: int
    round: int
    figure: Figure | None = None
    error: str = ""


@dataclass(slots=True, kw_only=True)
class Rounds:
    """How often, with what, and how patiently."""

    peers: Sequence[Peer]
    channels: Sequence[int]
    rounds: int
    seconds: float
    again: int = 2  # more attempts at a disturbed figure
    show: Show = field(default=print)

    def take(self, bed: Bed) -> list[Taken]:
        turns = [(peer, channels) for peer in self.peers for channels in self.channels]
        return [
            self._turn(bed, peer, channels, number)
            for number in range(self.rounds)
            for peer, channels in rotated(turns, number)
        ]

    def _turn(self, bed: Bed, peer: Peer, channels: int, number: int) -> Taken:
        size_bytes = bed.case.size_bytes(channels, self.seconds)
        load = Load(channels=channels, seconds=self.seconds, size_bytes=size_bytes)
        turn = {"peer": peer.name, "channels": channels, "round": number}
        try:
            figure = self._undisturbed(bed, peer, load)
            taken = Taken(figure=figure, **turn)  # type: ignore[arg-type]
        except HarnessError as error:
            taken = Taken(error=error.headline, **turn)  # type: ignore[arg-type]
        self.show(line(bed.case.name, taken))
        return taken

    def _undisturbed(self, bed: Bed, peer: Peer, load: Load) -> Figure:
        """The first figure that other work did not spoil, or the last one that it did."""
        for _ in range(1 + self.again):
            idle = bed.await_idle()
            others_s = machine.others_s()
            figure = measured(bed, peer, load)
            foreign_s = machine.others_s() - others_s - figure.all_cpu_s
            if idle and not machine.disturbed(foreign_s, figure.elapsed_s):
                return figure
        return replace(figure, disturbed=True)


def measured(bed: Bed, peer: Peer, load: Load) -> Figure:
    """One figure, held against what the NICs say; nothing of the peer is left running."""
    before = bed.received()
    try:
        figure = peer.run(bed, load)
    finally:
        bed.sweep()
    after = bed.received()
    carried = [after[nic] - before[nic] for nic in bed.nics(load.channels)]
    return checked(figure, carried)


def checked(figure: Figure, carried: Sequence[int]) -> Figure:
    """The figure with the NICs that it used; an error if they carried less than it says."""
    if sum(carried) < figure.size_bytes:
        raise PeerError(
            f"it claims {figure.size_bytes:,} bytes",
            expected=f"at most the {sum(carried):,} that the NICs carried",
        )
    least = HALF_A_SHARE * sum(carried) / len(carried)
    return replace(figure, nics_used=sum(size >= least for size in carried))


def rotated(turns: Sequence[tuple[Peer, int]], number: int) -> Iterator[tuple[Peer, int]]:
    """Each round begins a third further, so that no peer always follows the same one's heat."""
    start = number * max(1, len(turns) // 3) % len(turns) if turns else 0
    yield from [*turns[start:], *turns[:start]]


def line(case: str, taken: Taken) -> str:
    """One turn, for who watches."""
    head = f"{case:16} round {taken.round + 1}  {taken.channels} ch  {taken.peer:14}"
    if taken.figure is None:
        return f"{head} ERROR {taken.error}"
    figure = taken.figure
    marks = f" {figure.nics_used} NICs" + (" disturbed" if figure.disturbed else "")
    cpu = "     ?" if figure.cpu_s_per_gb is None else f"{figure.cpu_s_per_gb:6.2f}"
    return f"{head} {figure.gb_s:7.3f} GB/s {cpu} CPU s/GB{marks}"
