"""Device to device: CUDA memory of one node to CUDA memory of the other, over unshaped NICs.

Each shape of exchange is measured with everything verified on the device, with everything but the
verification, and in host memory, in turns; beside them iperf3, in the same namespaces. The testbed
is of tier testbed-gpu, so nothing here says anything of a real NIC.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from harness.bench import ratios
from harness.bench.bed import Bed
from harness.bench.case import FAST, RAILS
from harness.bench.peers import Iperf3, Ours, Peer
from harness.bench.ratios import Ratio
from harness.bench.rounds import Rounds, Show, Taken
from harness.bench.rows import Row, rows
from harness.errors import PeerError
from harness.evidence import Journal
from harness.inventory.spec import TIERS
from harness.plan import KIB

TIER = TIERS[1]
IDLE_S = 2.0  # a process that uses a GPU is never quite at rest
VERIFIED, UNVERIFIED, HOST = "ours-cuda", "ours-unverified-cuda", "ours"
VERIFYING = 0.95  # of the rate without


class Shape(NamedTuple):
    """One kind of exchange, and the GB/s that it is promised to reach."""

    channels: int
    chunk_bytes: int
    least_gb_s: float

    @property
    def name(self) -> str:
        return f"{self.channels}ch-{self.chunk_bytes // KIB}KiB"

    def peers(self) -> tuple[Peer, ...]:
        chunk: dict[str, Any] = {"chunk_bytes": self.chunk_bytes}
        ours = (Ours(**chunk, memory="cuda"), Ours("blind", **chunk, memory="cuda"), Ours(**chunk))
        return (*ours, Iperf3()) if self.channels <= RAILS else ours


SHAPES = (Shape(4, 512 * KIB, 9.0), Shape(8, 2048 * KIB, 15.0))


@dataclass(slots=True)
class DeviceSheet:
    """All turns, by shape."""

    taken: dict[str, list[Taken]] = field(default_factory=dict)

    def rows(self) -> list[Row]:
        return [row for name, taken in self.taken.items() for row in rows(name, taken)]

    def ratios(self) -> list[Ratio]:
        """Every promise; what was not measured does not hold."""
        return [ratio for shape in SHAPES for ratio in self._of(shape)]

    def _of(self, shape: Shape) -> Iterator[Ratio]:
        taken = self.taken.get(shape.name, ())
        verified, unverified = (VERIFIED, shape.channels), (UNVERIFIED, shape.channels)
        yield Ratio(
            name=f"{shape.name}/gb-s",
            value=ratios.median(taken, verified),
            threshold=shape.least_gb_s,
        )
        yield Ratio(
            name=f"{shape.name}/verified-to-unverified",
            value=ratios.per_round(taken, verified, unverified),
            threshold=VERIFYING,
        )

    def shares(self) -> dict[str, float | None]:
        """Of what iperf3 carries and of host memory: reported, not promised."""
        wire = [t for taken in self.taken.values() for t in taken if t.peer == Iperf3.name]
        found: dict[str, float | None] = {}
        for shape in SHAPES:
            taken = [*self.taken.get(shape.name, ()), *wire]
            ours = (VERIFIED, shape.channels)
            for other in ((Iperf3.name, RAILS), (HOST, shape.channels)):
                found[f"{shape.name}/to-{other[0]}"] = ratios.per_round(taken, ours, other)
        return found

    def problems(self) -> list[str]:
        """The turns that failed."""
        return [
            f"{name} {t.peer}, round {t.round + 1}: {t.error}"
            for name, taken in self.taken.items()
            for t in taken
            if t.error
        ]

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": [row.to_json() for row in self.rows()],
            "ratios": [ratio.to_json() for ratio in self.ratios()],
            "shares": self.shares(),
            "errors": self.problems(),
        }


def measure(rounds: int, seconds: float, show: Show) -> DeviceSheet:
    """Every shape on one testbed."""
    if not Iperf3().find():
        raise PeerError("iperf3 is absent", fix=Iperf3.install)
    sheet = DeviceSheet()
    with TemporaryDirectory(prefix="bench-") as folder, closing(Journal(Path(folder), "b")) as kept:
        with Bed(FAST, kept, idle_s=IDLE_S, tier=TIER) as bed:
            for shape in SHAPES:
                turns = Rounds(
                    peers=shape.peers(),
                    channels=[shape.channels],
                    rounds=rounds,
                    seconds=seconds,
                    again=0,
                    show=show,
                )
                sheet.taken[shape.name] = turns.take(bed)
    return sheet
