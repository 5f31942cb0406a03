"""Properties of a case and of the run."""

from __future__ import annotations

from harness.evidence import GpuLoad
from harness.report.exchanges import exchanges
from harness.report.properties import case_properties, run_properties
from suites.unit.report.run import green
from suites.unit.verdict.clean import changed, clean, without


def test_a_test_with_several_exchanges_joins_their_values_in_order() -> None:
    told = exchanges([*clean("main-1", channels=1), *clean("main-2", channels=4)])
    properties = case_properties(told, told[1].judged)
    assert properties["exchange"] == "main-1; main-2"
    assert properties["channels"] == "1; 4"
    assert properties["claims"].startswith("roles=PASS(4); delivery=PASS(")


def test_each_channel_has_its_nics_speed_and_words() -> None:
    properties = case_properties(exchanges(clean(channels=2)), [])
    assert properties["channel.1.nics"] == "eth2 to eth2"
    assert float(properties["channel.1.gb_s"]) > 0
    words = [int(properties[f"channel.{n}.words_verified"]) for n in range(2)]
    assert sum(words) == int(properties["words_verified"])


def test_gpus_are_told_with_their_uuids_or_as_one() -> None:
    own = clean("main-1", memory="cuda")
    one = changed(clean("main-2", memory="cuda"), GpuLoad, uuid="GPU-1")
    unread = without(clean("main-3", memory="cuda"), GpuLoad, node="beta")
    properties = case_properties(exchanges([*own, *one, *unread, *clean("main-4")]), [])
    assert properties["memory"] == "cuda; cuda; cuda; host"
    assert properties["gpus"].split("; ") == [
        "server GPU-alpha, client GPU-beta",
        "one for both roles: GPU-1",
        "server GPU-alpha, client unread",
        "",
    ]
    assert "gpus" not in case_properties(exchanges(clean()), [])


def test_a_test_without_exchanges_and_claims_has_none() -> None:
    assert case_properties([], []) == {}


def test_the_run_tells_its_tier_nodes_and_versions() -> None:
    assert run_properties(green()) == {
        "run": "run-1",
        "tier": "testbed",
        "inventory": "node_ips/testbed.toml",
        "nodes": "alpha, beta",
        "version.pytest": "9.2.0",
        "version.python": "3.11.7",
    }
    assert run_properties([]) == {}
