"""Everything that a bench compares, in the order in which tables show it."""

from __future__ import annotations

from harness.bench.peers.gloo import Gloo
from harness.bench.peers.iperf3 import Iperf3
from harness.bench.peers.nixl import Nixl
from harness.bench.peers.ours import Ours
from harness.bench.peers.peer import Peer
from harness.bench.peers.ucx import UcxPerftest

__all__ = ["Gloo", "Iperf3", "Nixl", "Ours", "Peer", "UcxPerftest", "all_peers"]


def all_peers(*, python_nixl: str, python_gloo: str) -> tuple[Peer, ...]:
    """Every peer that is known, installed or not."""
    return (
        Iperf3(),
        UcxPerftest(),
        Nixl(python_nixl),
        Gloo(python_gloo),
        Ours(),
        Ours("raw"),
    )
