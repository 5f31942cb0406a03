"""A sheet says what is missing, what broke and what was missed, and becomes JSON."""

from __future__ import annotations

import json

import pytest

from harness.bench.rows import rows
from harness.bench.sheet import Sheet
from suites.unit.bench.turns import turns


@pytest.fixture
def sheet() -> Sheet:
    return Sheet(
        found={"iperf3": "3.12", "nixl": ""}, install={"iperf3": "apt", "nixl": "pip"}, options={}
    )


def test_absent_peers_are_listed_as_absent(sheet: Sheet) -> None:
    assert sheet.absent() == ["nixl"]
    peers = json.loads(sheet.to_json())["peers"]
    assert [(p["name"], p["absent"]) for p in peers] == [("iperf3", False), ("nixl", True)]


def test_a_required_peer_that_is_absent_is_a_problem(sheet: Sheet) -> None:
    assert any("nixl is required and absent: pip" in p for p in sheet.problems(["nixl"]))
    assert not any("absent" in p for p in sheet.problems(["iperf3"]))


def test_a_required_peer_that_failed_is_a_problem_and_another_is_not(sheet: Sheet) -> None:
    sheet.rows = [*rows("c", turns("iperf3", 4, 0.0)), *rows("c", turns("gloo", 4, 0.0))]
    broken = [p for p in sheet.problems(["iperf3"]) if "crashed" in p]
    assert broken == ["c iperf3 4 ch: PEER: it crashed"]


def test_a_promise_that_is_not_kept_is_a_problem(sheet: Sheet) -> None:
    sheet.alone = {"fixed-cost-s": 0.7, "observer-core-share": 0.01}
    missed = sheet.problems([])
    assert "fixed-cost-s: 0.700, expected <= 0.5" in missed
    assert not any("observer" in p for p in missed)


def test_a_section_that_broke_is_a_problem(sheet: Sheet) -> None:
    sheet.errors.append("host: PEER: boom")
    assert sheet.problems([])[-1] == "host: PEER: boom"


def test_json_has_rows_and_ratios(sheet: Sheet) -> None:
    sheet.rows = rows("c", turns("iperf3", 4, 1.0, 2.0))
    body = json.loads(sheet.to_json())
    assert body["rows"][0]["gb_s"] == {"min": 1.0, "median": 1.5, "max": 2.0}
    assert {"name", "value", "threshold", "sense", "holds"} == set(body["ratios"][0])
