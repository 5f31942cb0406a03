"""Ours, as a peer: what the plan promises, and what of its CPU time counts."""

from __future__ import annotations

import pytest

from harness.bench.figures import Load
from harness.bench.peers.ours import Ours, figure
from harness.errors import PeerError
from harness.plan import TRANSFER_CLAIMS
from suites.unit.bench.turns import exchange

LOAD = Load(channels=4, seconds=1.0, size_bytes=1 << 30)


def test_every_claim_of_a_transfer_is_settled() -> None:
    plan = Ours().plan(LOAD)
    assert plan.claims == TRANSFER_CLAIMS
    assert (plan.channels, plan.total_bytes, plan.faults) == (4, 1 << 30, ())


def test_the_raw_form_promises_nothing_about_bytes() -> None:
    plan = Ours("raw").plan(LOAD)
    assert plan.claims == ("roles",)
    assert [fault.kind for fault in plan.faults] == ["raw"]


def test_cpu_is_of_the_transfer_and_not_of_the_start() -> None:
    found = figure(exchange(iterations=3, cpu_s=0.4))
    assert found.cpu_s == pytest.approx(0.3), "the last iterations' word, both roles together"
    assert found.all_cpu_s == pytest.approx(0.4)
    assert found.elapsed_s == pytest.approx(3.0)


def test_a_red_exchange_is_an_error_and_no_figure() -> None:
    with pytest.raises(PeerError):
        Ours().check(exchange())  # nobody saw a byte in it


def test_the_unverified_form_in_device_memory() -> None:
    peer = Ours("blind", memory="cuda", chunk_bytes=1 << 21)
    plan = peer.plan(LOAD)
    assert peer.name == "ours-unverified-cuda"
    assert (plan.memory, plan.chunk_bytes, plan.claims) == ("cuda", 1 << 21, ("roles",))
    assert [fault.kind for fault in plan.faults] == ["blind"]
