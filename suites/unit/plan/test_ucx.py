"""What UCX is told of NICs."""

from __future__ import annotations

from harness.plan.ucx import environment


def test_every_nic_is_a_rail_of_every_kind_of_message() -> None:
    told = environment(("eth1", "eth3"))
    assert told["UCX_NET_DEVICES"] == "eth1,eth3"
    assert told["UCX_TLS"] == "tcp,self"
    assert {told[f"UCX_MAX_{kind}_RAILS"] for kind in ("RNDV", "EAGER", "RMA")} == {"2"}
