"""The benchmark measures for real: its smoke test, on a testbed of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.selftest

PROJECT = Path(__file__).parents[2]
CASE = "1g-mtu9000"
QUICK = ("bench", "--quick", "--rounds", "1", "--cases", CASE, "--channels", "4")
RUN_S = 120.0


def test_a_quick_bench_measures_the_line(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    only = ("--peers", "ours,ours-raw", "--sections", "rates,host", "--json", str(out))
    ran = subprocess.run(
        [sys.executable, "-m", "harness", *QUICK, *only],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=RUN_S,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    body = json.loads(out.read_text())
    rows = {(row["case"], row["peer"]): row for row in body["rows"]}
    for peer in ("ours", "ours-raw"):
        row = rows[CASE, peer]
        assert 0.5 < row["fraction_of_line"] < 1.02, (
            "no faster than the wire, and not by far slower"
        )
        assert row["cpu_s_per_gb"]["median"] > 0
    holds = {ratio["name"]: ratio["holds"] for ratio in body["ratios"]}
    assert holds["host-verification-of-copy"], "a verifier slower than a third of a copy"
    assert not holds["unshaped-mtu9000/ours-to-nixl"], "what was not measured does not hold"
    assert out.with_suffix(".svg").read_text().startswith("<svg")
