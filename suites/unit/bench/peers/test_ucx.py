"""ucx_perftest's table, whole and broken."""

from __future__ import annotations

import pytest

from harness.bench.peers.ucx import environment, rate_gb_s
from harness.errors import PeerError

HEAD = "iterations,50.0_percentile_lat,avg_lat,overall_lat,avg_bw,overall_bw,avg_mr,overall_mr"


def test_the_rate_is_overall_bandwidth_in_mib() -> None:
    text = f"{HEAD}\n  2,7.0,1.0,1.0,90.00,100.00,3,3\n  4,7.0,1.0,1.0,99.00,200.00,3,3\n"
    assert rate_gb_s(text) == pytest.approx(200 * 2**20 / 1e9)


@pytest.mark.parametrize("text", ["", HEAD, "a,b\n1,2\n", f"{HEAD}\n1,2\n", f"{HEAD}\n" + "x," * 8])
def test_nonsense_is_named_and_never_a_number(text: str) -> None:
    with pytest.raises(PeerError, match="no overall_bw"):
        rate_gb_s(text)


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(PeerError, match="a rate of 0"):
        rate_gb_s(f"{HEAD}\n4,7,1,1,0,0.00,3,3\n")


def test_exactly_the_named_nics_are_used() -> None:
    found = environment(("eth1", "eth2"))
    assert (found["UCX_NET_DEVICES"], found["UCX_MAX_RMA_RAILS"]) == ("eth1,eth2", "2")
