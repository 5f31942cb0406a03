"""A suite a node pair: each case is in exactly one."""

from __future__ import annotations

import time

import pytest

from harness.evidence import Judged
from harness.report.case import cases
from harness.report.suite import members_of, suites, verdict
from suites.unit.report.page.made import many
from suites.unit.report.run import BROKEN, DAMAGED, MAPPED, OPEN, PLANNED, SKIPPED, green, run
from suites.unit.report.shards import between, on_nodes
from suites.unit.verdict.clean import entries_of

MESH = on_nodes(run(), "gamma", "beta", "alpha")


def in_suites(entries) -> dict[str, list[str]]:
    return {s.name: [m.case.test for m in s.members] for s in suites(entries)}


def test_a_run_on_two_nodes_is_one_suite() -> None:
    assert in_suites(run()) == {"hil testbed alpha+beta": list(PLANNED)}


def test_on_more_nodes_each_pair_is_a_suite_and_what_moved_nothing_is_of_all() -> None:
    assert in_suites(between(MESH, "main-2", "gamma", "alpha")) == {
        "hil testbed beta+alpha": [MAPPED],
        "hil testbed gamma+alpha": [DAMAGED],
        "hil testbed gamma+beta+alpha": [OPEN, BROKEN, SKIPPED],
    }


def test_who_was_the_server_makes_no_other_suite() -> None:
    turned = between(between(MESH, "main-1", "alpha", "beta"), "main-2", "beta", "alpha")
    assert in_suites(turned)["hil testbed beta+alpha"] == [MAPPED, DAMAGED]


@pytest.mark.parametrize("at", range(0, len(MESH), 9))
def test_whenever_a_run_was_cut_each_test_is_in_one_suite(at: int) -> None:
    found = [member.case.test for member in members_of(suites(MESH[:at]))]
    assert len(found) == len(set(found))
    assert set(found) == (set(PLANNED) if at > 1 else {"run::ending"})


def test_a_suites_properties_name_its_own_nodes() -> None:
    (first, *_) = suites(MESH)
    assert first.properties["nodes"] == "beta, alpha"
    assert first.properties["inventory"] == "mesh.toml"


def test_the_verdict_is_the_worst_and_of_nothing_it_is_an_error() -> None:
    assert verdict(suites(green())).name == "PASS"
    assert verdict(suites(run())).name == "ERROR"
    assert verdict([]).name == "ERROR"


def test_ten_thousand_tests_with_their_claims_take_a_moment() -> None:
    """Seconds where each test looks for its own claims only; a minute where it looks at all."""
    entries, claimed = many(10_000), []
    for case in cases(entries):
        one = Judged(test=case.test, claim="held", outcome="PASS", checked=1, fact="as it was")
        claimed += entries_of([(0.0, one)] * 8, exchange="")
    began_s = time.process_time()
    found = suites([*entries[:-1], *claimed, entries[-1]])
    assert time.process_time() - began_s < 5.0
    assert [len(member.judged) for member in members_of(found)] == [8] * 10_000
