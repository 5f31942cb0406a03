from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.facts import Sheet, cpus


def test_the_cpus_that_we_may_use_are_the_kernels_word() -> None:
    before = os.sched_getaffinity(0)
    one = min(before)
    os.sched_setaffinity(0, {one})
    try:
        sheet = Sheet()
        cpus.tell(sheet)
    finally:
        os.sched_setaffinity(0, before)
    assert sheet.facts["cpu.allowed"] == str(one)


def test_numa_nodes_are_told_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, cpulist in ((10, "8-9"), (2, "0-7")):
        (tmp_path / f"node{number}").mkdir()
        (tmp_path / f"node{number}" / "cpulist").write_text(f"{cpulist}\n")
    monkeypatch.setattr(cpus, "NUMA", str(tmp_path))
    sheet = Sheet()
    cpus.tell(sheet)
    assert sheet.facts["numa.nodes"] == "2 has 0-7; 10 has 8-9"


def test_a_machine_without_numa_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpus, "NUMA", str(tmp_path))
    sheet = Sheet()
    cpus.tell(sheet)
    assert sheet.unknown["numa.nodes"] == f"{tmp_path} names no node"
