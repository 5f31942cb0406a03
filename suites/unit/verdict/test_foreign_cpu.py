"""What others had of the nodes' CPUs is what no role of the exchange spent."""

from __future__ import annotations

from harness.evidence import Entry, ExchangePlanned, NodeBusy
from harness.verdict.exchange import Exchange
from harness.verdict.foreign_cpu import Foreign, foreign_cpu
from suites.unit.verdict.clean import added, changed, clean, without

CPUS, SECONDS = 2, 1.0


def busy(*, server_s: float, client_s: float, others_s: float, tier: str) -> list[Entry]:
    """Both roles' words, on one machine or on two, where `others_s` are each node's."""
    entries = changed(without(clean(), NodeBusy), ExchangePlanned, tier=tier)
    one = tier.startswith("testbed")
    for role, node, own_s in (("server", "alpha", server_s), ("client", "beta", client_s)):
        programs_s = others_s + (server_s + client_s if one else own_s)
        told = NodeBusy(
            node=node,
            role=role,
            programs_s=programs_s,
            rest_s=CPUS * SECONDS - programs_s,
            own_s=own_s,
        )
        entries = added(entries, told, 1.5)
    return entries


def seen(entries: list[Entry]) -> list[Foreign]:
    found = foreign_cpu(Exchange(entries))
    return [Foreign(one.node, round(one.spent_s, 6), round(one.whole_s, 6)) for one in found]


def test_nobody_else_was_there() -> None:
    for tier in ("testbed", "two-node"):
        entries = busy(server_s=0.9, client_s=0.5, others_s=0.0, tier=tier)
        assert seen(entries) == [Foreign("alpha", 0.0, 2.0), Foreign("beta", 0.0, 2.0)]


def test_what_no_role_spent_is_somebody_elses() -> None:
    for tier in ("testbed-gpu", "two-node-tcpx"):
        entries = busy(server_s=0.9, client_s=0.5, others_s=0.3, tier=tier)
        assert seen(entries) == [Foreign("alpha", 0.3, 2.0), Foreign("beta", 0.3, 2.0)]


def test_on_two_machines_the_peers_share_explains_nothing() -> None:
    entries = busy(server_s=0.9, client_s=0.5, others_s=0.0, tier="two-node")
    entries = changed(entries, NodeBusy, where={"node": "beta"}, programs_s=1.4, rest_s=0.6)
    assert seen(entries) == [Foreign("alpha", 0.0, 2.0), Foreign("beta", 0.9, 2.0)]


def test_ticks_may_count_less_than_the_roles_did() -> None:
    entries = busy(server_s=0.9, client_s=0.5, others_s=-0.1, tier="testbed")
    assert seen(entries) == [Foreign("alpha", 0.0, 2.0), Foreign("beta", 0.0, 2.0)]


def test_a_mesh_tells_of_itself_alone() -> None:
    entries = busy(server_s=0.9, client_s=0.5, others_s=0.3, tier="testbed")
    assert seen(changed(entries, ExchangePlanned, mesh="mesh-1")) == []


def test_a_program_that_tells_nothing_has_no_strangers() -> None:
    assert seen(without(clean(), NodeBusy)) == []


def test_a_start_disturbs_nobody_and_a_busy_core_does() -> None:
    said = {seconds: Foreign("alpha", seconds, 2.0).disturbs for seconds in (0.24, 0.26, 1.0)}
    assert said == {0.24: False, 0.26: True, 1.0: True}
