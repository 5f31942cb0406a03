"""What a peer is to a bench: a name, a way to find it, a way to get it, and a measurement."""

from __future__ import annotations

from typing import Protocol

from harness.bench.bed import Bed
from harness.bench.figures import Figure, Load


class Peer(Protocol):
    """One program to compare with."""

    name: str
    install: str  # one sentence: how to get it

    def find(self) -> str:
        """Its version; '' when it is absent."""
        ...

    def run(self, bed: Bed, load: Load) -> Figure:
        """Move the load from node-b to node-a; PeerError when that gave no measurement."""
        ...
