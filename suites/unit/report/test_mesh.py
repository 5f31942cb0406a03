"""A mesh as reports tell it: a row a GPU, a row a NIC."""

from __future__ import annotations

from itertools import pairwise

import pytest

from harness.evidence import NicCounters
from harness.report import exchange_lines, run_lines
from harness.report.exchanges import exchanges
from harness.report.mesh import meshes
from harness.report.page.network import risen
from harness.report.page.pace import intervals
from harness.report.summary import summary
from suites.unit.report.test_console import FOLDER
from suites.unit.verdict.clean import added, clean, without
from suites.unit.verdict.meshed import mesh, spoilt
from suites.unit.verdict.test_integrity import damage

BYTES = 4 * 2**20  # of a GPU


def test_each_gpu_has_a_row_of_its_own_figures() -> None:
    (told,) = meshes(exchanges(mesh()))
    assert [row.gpus for row in told.gpus] == [(0,), (1,), (2,), (3,)]
    assert [row.nics for row in told.gpus] == ["eth1 to eth1"] * 2 + ["eth2 to eth2"] * 2
    assert {(row.bytes, row.words, row.share) for row in told.gpus} == {(BYTES, BYTES // 8, 0.25)}
    assert {row.judged.outcome for row in told.gpus} == {"PASS"}
    assert (told.bytes, told.words) == (4 * BYTES, 4 * BYTES // 8)
    assert told.gb_s == pytest.approx(sum(row.gb_s for row in told.gpus))


def test_each_nic_has_the_sum_of_its_gpus_beside_its_counter() -> None:
    (told,) = meshes(exchanges(mesh()))
    assert [(row.nics, row.gpus) for row in told.nics] == [
        ("eth1 to eth1", (0, 1)),
        ("eth2 to eth2", (2, 3)),
    ]
    for row in told.nics:
        assert (row.bytes, row.words, row.share) == (2 * BYTES, 2 * BYTES // 8, 0.5)
        assert 1.0 < row.counted_bytes / row.bytes < 1.01


def test_a_nic_that_nobody_read_is_not_counted_as_nothing() -> None:
    (told,) = meshes(exchanges(without(mesh(), NicCounters, phase="settled", node="alpha")))
    assert {row.counted_bytes for row in told.nics} == {-1}


def test_the_lines_of_a_mesh_are_its_tables_and_then_its_exchanges() -> None:
    entries = spoilt(mesh(), 2, lambda own: added(own, damage(), 1.2))
    title, *lines = exchange_lines(entries)
    assert title.startswith("mesh main-1: beta to alpha, 4 GPUs, 8 channels, 16,777,216 bytes, ")
    assert title.endswith("2,097,152 words verified: FAIL")
    assert " ".join(lines[0].split()) == (
        "gpu 0 eth1 to eth1 4,194,304 bytes 0.004 GB/s 25.0% 524,288 words PASS"
    )
    assert "  FAIL BITFLIP alpha/gpu 2/eth2/channel " in lines[2]
    assert lines[4].startswith("  nic     eth1 to eth1")
    assert "50.0%" in lines[4]
    assert "of GPUs 0,1, counted 8," in lines[4]
    titles = [line for line in lines if line.startswith("exchange ")]
    assert [line.split(":")[0] for line in titles] == [f"exchange main-1-gpu{g}" for g in range(4)]


def test_a_run_shows_its_mesh_unless_another_exchange_moved_more() -> None:
    assert any(line.startswith("largest mesh main-1") for line in run_lines(mesh(), FOLDER))
    both = [*mesh(), *clean("main-2", size_bytes=64 * 2**20)]
    assert any(line.startswith("largest exchange main-2") for line in run_lines(both, FOLDER))


def test_programs_read_the_same_rows() -> None:
    found = summary(mesh())
    (told,) = found["meshes"]
    assert [row["gpus"] for row in told["gpus"]] == [(0,), (1,), (2,), (3,)]
    assert {row["judged"]["outcome"] for row in told["gpus"]} == {"PASS"}
    assert [row["gpus"] for row in told["nics"]] == [(0, 1), (2, 3)]
    assert {one["mesh"] for one in found["exchanges"]} == {"main-1"}


def test_without_a_mesh_there_are_no_rows() -> None:
    assert meshes(exchanges(clean())) == []
    assert summary(clean())["meshes"] == []


def test_on_the_page_what_nics_counted_during_a_mesh_is_counted_once() -> None:
    told = exchanges(mesh())
    (row, *_) = meshes(told)[0].nics
    assert risen(told)["alpha", "eth1", "received"] == row.counted_bytes
    seen = intervals(told, {})["alpha", "eth1"]
    assert sum(one.received_bytes for one in seen) == row.counted_bytes
    assert all(one.end_s <= later.start_s for one, later in pairwise(seen))
