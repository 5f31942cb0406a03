"""What others had of the nodes' CPUs is what no role of the exchange spent."""

from __future__ import annotations

import pytest

from harness.evidence import Entry, ExchangePlanned, NodeBusy
from harness.verdict.exchange import Exchange
from harness.verdict.foreign_cpu import Foreign, foreign_cpu
from suites.unit.verdict.clean import added, changed, clean, without

CPUS, SECONDS = 2, 1.0


def busy(*, server_s: float, client_s: float, others_s: float, machines: list[str]) -> list[Entry]:
    """Both roles' words, on one machine or on two, where `others_s` are each machine's."""
    entries = without(clean(), NodeBusy)
    one = machines[0] == machines[1] != ""
    roles = (("server", "alpha", server_s), ("client", "beta", client_s))
    for (role, node, own_s), machine in zip(roles, machines, strict=True):
        programs_s = others_s + (server_s + client_s if one else own_s)
        told = NodeBusy(
            node=node,
            role=role,
            machine=machine,
            programs_s=programs_s,
            rest_s=CPUS * SECONDS - programs_s,
            own_s=own_s,
        )
        entries = added(entries, told, 1.5)
    return entries


ONE, TWO, HIDDEN = ["a", "a"], ["a", "b"], ["", ""]


def seen(entries: list[Entry]) -> list[Foreign]:
    found = foreign_cpu(Exchange(entries))
    return [Foreign(one.node, round(one.spent_s, 6), round(one.whole_s, 6)) for one in found]


@pytest.mark.parametrize("others_s", [0.0, 0.3])
def test_what_no_role_spent_is_somebody_elses(others_s: float) -> None:
    def of(machines: list[str]) -> list[Foreign]:
        return seen(busy(server_s=0.9, client_s=0.5, others_s=others_s, machines=machines))

    assert of(ONE) == [Foreign("alpha", others_s, 2.0)]
    assert (
        of(TWO) == of(HIDDEN) == [Foreign("alpha", others_s, 2.0), Foreign("beta", others_s, 2.0)]
    )


@pytest.mark.parametrize("tier", ["testbed", "two-node"])
def test_containers_of_one_machine_need_not_be_a_testbed(tier: str) -> None:
    entries = busy(server_s=0.9, client_s=0.5, others_s=0.0, machines=ONE)
    assert seen(changed(entries, ExchangePlanned, tier=tier)) == [Foreign("alpha", 0.0, 2.0)]


def test_on_one_machine_getting_ready_is_nobody_elses_work() -> None:
    """The server was ready first, and saw how the client's payload was made."""
    entries = busy(server_s=0.9, client_s=0.5, others_s=0.0, machines=ONE)
    entries = changed(entries, NodeBusy, where={"role": "server"}, programs_s=1.8, rest_s=1.0)
    assert seen(entries) == [Foreign("beta", 0.0, 2.0)]


def test_on_two_machines_the_peers_share_explains_nothing() -> None:
    entries = busy(server_s=0.9, client_s=0.5, others_s=0.0, machines=TWO)
    entries = changed(entries, NodeBusy, where={"node": "beta"}, programs_s=1.4, rest_s=0.6)
    assert seen(entries) == [Foreign("alpha", 0.0, 2.0), Foreign("beta", 0.9, 2.0)]


def test_ticks_may_count_less_than_the_roles_did() -> None:
    entries = busy(server_s=0.9, client_s=0.5, others_s=-0.1, machines=ONE)
    assert seen(entries) == [Foreign("alpha", 0.0, 2.0)]


def test_a_mesh_tells_of_itself_alone() -> None:
    entries = busy(server_s=0.9, client_s=0.5, others_s=0.3, machines=ONE)
    assert seen(changed(entries, ExchangePlanned, mesh="mesh-1")) == []


def test_a_program_that_tells_nothing_has_no_strangers() -> None:
    assert seen(without(clean(), NodeBusy)) == []


def test_a_start_disturbs_nobody_and_a_busy_core_does() -> None:
    said = {seconds: Foreign("alpha", seconds, 2.0).disturbs for seconds in (0.24, 0.26, 1.0)}
    assert said == {0.24: False, 0.26: True, 1.0: True}
