"""Each part that makes figures comparable is in the fingerprint, and is named where it differs."""

from __future__ import annotations

import pytest

from harness.errors import EvidenceError
from harness.evidence import NodeFacts
from harness.history.fingerprint import Fingerprint, differences, fingerprint, told
from suites.unit.history.nights import FACTS, NODES, exchange, run

GPU = {"index": 0, "nic": "eth1", "numa": 0}


def with_nic(**fields: object) -> list[dict]:
    """The first node's second NIC has other fields."""
    nics = [dict(nic) for nic in NODES[0]["nics"]]
    nics[1] |= fields
    return [{**NODES[0], "nics": nics}, NODES[1]]


def test_the_same_testbed_has_the_same_whatever_ran_on_it() -> None:
    first = fingerprint(run(exchange(), name="a"))
    second = fingerprint(run(name="b", night=9, ended=False))
    assert first.digest == second.digest
    assert differences(first, second) == ()


@pytest.mark.parametrize(
    ("nodes", "line"),
    [
        (with_nic(rate_gbit_s=2.5), "rate_gbit_s 1 -> 2.5 (alpha.nic.eth2)"),
        (with_nic(mtu=1500), "mtu 9000 -> 1500 (alpha.nic.eth2)"),
        ([{**NODES[0], "gpus": [GPU]}, NODES[1]], "0 unknown -> near eth1 (alpha.gpu)"),
        ([NODES[0], {**NODES[1], "name": "gamma"}], "nodes alpha,beta -> alpha,gamma"),
        (
            [{**NODES[0], "nics": NODES[0]["nics"][:3]}, NODES[1]],
            "nics eth1,eth2,eth3,eth4 -> eth1,eth2,eth3 (alpha)",
        ),
    ],
    ids=["rate", "mtu", "gpu", "node", "a NIC less"],
)
def test_another_topology_is_another_testbed(nodes: list[dict], line: str) -> None:
    before, after = fingerprint(run()), fingerprint(run(nodes=nodes))
    assert before.topology_digest != after.topology_digest
    assert line in told(differences(before, after))


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"kernel.release": "6.19.0"}, "kernel 6.18.0 -> 6.19.0 (alpha and 1 more)"),
        ({"nic.eth1.driver": "gve"}, "driver veth 1.0 -> gve 1.0 (alpha.nic.eth1 and 1 more)"),
        ({"nic.eth3.driver_version": "2"}, "driver veth 1.0 -> veth 2 (alpha.nic.eth3 and 1 more)"),
        ({"nic.eth4.firmware": "7.2"}, "firmware 7.1 -> 7.2 (alpha.nic.eth4 and 1 more)"),
        ({"gpu.driver": "580.1"}, "driver unknown -> 580.1 (alpha.gpu and 1 more)"),
        ({"plugin.sha256": "ab12"}, "plugin unknown -> ab12 (alpha and 1 more)"),
    ],
    ids=["kernel", "driver", "driver version", "firmware", "GPU driver", "plugin"],
)
def test_another_makeup_is_the_same_machines_later(facts: dict[str, str], line: str) -> None:
    before, after = fingerprint(run()), fingerprint(run(facts=FACTS | facts))
    assert before.digest != after.digest
    assert before.topology_digest == after.topology_digest
    assert told(differences(before, after)) == [line]


def test_what_does_not_change_the_figures_is_no_part() -> None:
    facts = FACTS | {"clock.wall_offset_s": "-0.1", "tool.nsys": "/usr/bin/nsys", "python": "3.13"}
    assert fingerprint(run()).digest == fingerprint(run(facts=facts)).digest


def test_the_environment_of_the_roles_is_a_part() -> None:
    dressed = [{**NODES[0], "environment": {"NCCL_MIN_NCHANNELS": "8"}}, NODES[1]]
    found = told(differences(fingerprint(run()), fingerprint(run(nodes=dressed))))
    assert found == ["NCCL_MIN_NCHANNELS unknown -> 8 (alpha.environment)"]


def test_without_a_preflight_it_is_another_and_says_what_is_not_known() -> None:
    entries = run()
    bare = [entry for entry in entries if not isinstance(entry.record, NodeFacts)]
    found = told(differences(fingerprint(bare), fingerprint(entries)))
    assert "kernel unknown -> 6.18.0 (alpha and 1 more)" in found


def test_hostile_names_are_parts_like_others() -> None:
    found = fingerprint(run(nodes=[{**NODES[0], "name": "a.b'; DROP TABLE runs;--\udc80"}]))
    assert found.nodes == ("a.b'; DROP TABLE runs;--\udc80",)
    assert len(found.digest) == 16


def test_a_journal_without_a_beginning_is_refused() -> None:
    with pytest.raises(EvidenceError, match="no RunStarted"):
        fingerprint(exchange())


def test_what_lacks_nodes_has_none() -> None:
    assert Fingerprint(topology={"tier": "testbed", "nodes": ""}, makeup={}).nodes == ()
