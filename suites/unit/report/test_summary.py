"""verdict.json: the run for programs."""

from __future__ import annotations

import json

from harness.evidence import GpuLoad
from harness.report import summary
from suites.unit.report.run import DAMAGED, green, run
from suites.unit.verdict.clean import changed, clean


def test_a_run_is_told_whole() -> None:
    body = json.loads(json.dumps(summary(run())))
    assert (body["run"], body["tier"], body["outcome"]) == ("run-1", "testbed", "ERROR")
    assert [test["outcome"] for test in body["tests"]] == [
        "PASS",
        "FAIL",
        "INCONCLUSIVE",
        "ERROR",
        "SKIP",
    ]
    damaged = body["exchanges"][1]
    assert (damaged["test"], damaged["server"]) == (DAMAGED, "alpha")
    assert [c["nics"]["client"] for c in damaged["channels"]] == ["eth1", "eth2", "eth3", "eth4"]
    (red,) = [one for one in damaged["judged"] if one["outcome"] == "FAIL"]
    assert (red["klass"], red["nic"], red["channel"], red["chunk"]) == ("BITFLIP", "eth3", 2, 6)


def test_gpus_and_who_shares_one_are_told() -> None:
    own = clean("main-1", memory="cuda")
    one = changed(clean("main-2", memory="cuda"), GpuLoad, uuid="GPU-1")
    told = summary([*own, *one, *clean("main-3")])["exchanges"]
    assert [(each["gpus"], each["one_gpu"]) for each in told] == [
        ({"server": "GPU-alpha", "client": "GPU-beta"}, ""),
        ({"server": "GPU-1", "client": "GPU-1"}, "GPU-1"),
        ({}, ""),
    ]


def test_a_green_run_passes() -> None:
    assert summary(green())["outcome"] == "PASS"


def test_nothing_at_all_is_an_error() -> None:
    assert summary([])["outcome"] == "ERROR"
