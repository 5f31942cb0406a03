"""Turns become rows: one a case, peer and number of channels, with the spread over its rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.bench.figures import Spread
from harness.bench.rounds import Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one peer reached. Without a single figure, `error` says why."""

    case: str
    peer: str
    channels: int
    gb_s: Spread | None
    cpu_s_per_gb: Spread | None = None
    line_gb_s: float = 0.0
    nics_used: int = 0  # the fewest of any round
    rounds: int = 0
    disturbed: int = 0  # of the rounds
    error: str = ""

    @property
    def fraction_of_line(self) -> float | None:
        """Of what the NICs carry less headers."""
        return self.gb_s.median / self.line_gb_s if self.gb_s and self.line_gb_s else None

    def to_json(self) -> dict[str, Any]:
        return {
            "case": self.case,
            "peer": self.peer,
            "channels": self.channels,
            "gb_s": self.gb_s and self.gb_s.to_json(),
            "fraction_of_line": self.fraction_of_line,
            "cpu_s_per_gb": self.cpu_s_per_gb and self.cpu_s_per_gb.to_json(),
            "nics_used": self.nics_used,
            "rounds": self.rounds,
            "disturbed": self.disturbed,
            "error": self.error,
        }


def rows(
    case: str, taken: Sequence[Taken], line_gb_s: Callable[[int], float] = lambda channels: 0.0
) -> list[Row]:
    """By peer, then channels; peers in the order in which they first appeared."""
    peers = list(dict.fromkeys(t.peer for t in taken))
    keys = sorted({(peers.index(t.peer), t.channels) for t in taken})
    return [
        row(case, [t for t in taken if (t.peer, t.channels) == (peers[peer], channels)], line_gb_s)
        for peer, channels in keys
    ]


def row(case: str, taken: Sequence[Taken], line_gb_s: Callable[[int], float]) -> Row:
    """All rounds of one peer with one number of channels."""
    figures = [t.figure for t in taken if t.figure is not None]
    return Row(
        case=case,
        peer=taken[0].peer,
        channels=taken[0].channels,
        gb_s=Spread.of([f.gb_s for f in figures]),
        cpu_s_per_gb=Spread.of([f.cpu_s_per_gb for f in figures if f.cpu_s_per_gb is not None]),
        line_gb_s=line_gb_s(taken[0].channels),
        nics_used=min((f.nics_used for f in figures), default=0),
        rounds=len(figures),
        disturbed=sum(f.disturbed for f in figures),
        error=next((t.error for t in taken if t.error), ""),
    )
