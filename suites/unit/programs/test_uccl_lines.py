"""What UCCL's programs print, of every age, means what it says here and not what it says there."""

from __future__ import annotations

import pytest

from harness.evidence import ChannelMapped, Observed
from harness.programs.uccl_lines import UcclLines
from suites.unit.programs.lines import figures, read, said

GIB_GB = 1.073741824


def test_both_arrows_and_both_forms_of_the_mapping_are_read() -> None:
    records = read(UcclLines(), "perf_multi_old_server.log")
    mapped = [r for r in records if isinstance(r, ChannelMapped)]
    assert [(m.channel, m.device, m.nic) for m in mapped] == [
        (0, 0, "eth1"),
        (1, 1, "eth2"),
        (2, -1, "eth3"),
        (3, 3, "eth4"),
    ]


def test_a_nic_that_was_taken_for_want_of_a_near_one_is_told() -> None:
    scores = said(read(UcclLines(), "perf_multi_old_server.log"), "nic_score")
    assert [(s.channel, s.value) for s in scores] == [(0, 296), (1, -1000)]
    assert "score=-1000" in scores[1].line


def test_what_is_printed_as_gb_is_counted_in_gib() -> None:
    (rate,) = figures(read(UcclLines(), "perf_multi_old_aborted.log"), "rate_gb_s")
    assert rate == pytest.approx(2.40 * GIB_GB)
    size, average_s = 64 * 1024**2, 0.026096
    assert rate == pytest.approx(size / average_s / 1e9, rel=0.005)


def test_the_earlier_runner_tells_of_each_iteration() -> None:
    records = read(UcclLines(), "perf_multi_old_server.log")
    assert figures(records, "iteration_bytes") == [67108864, 67108864]
    assert figures(records, "chunk_bytes") == [524288, 524288]
    assert [(s.iteration, s.value) for s in said(records, "iteration_s")] == [
        (0, pytest.approx(1.14925)),
        (1, pytest.approx(0.020836)),
    ]
    assert figures(records, "iterations") == [2]
    assert figures(records, "average_s") == [pytest.approx(0.585043)]
    assert not figures(records, "total_s")


def test_an_aborted_iteration_is_told_although_an_average_follows() -> None:
    records = read(UcclLines(), "perf_multi_old_aborted.log")
    (aborted,) = said(records, "aborted")
    assert aborted.iteration == 1
    assert [s.iteration for s in said(records, "iteration_s")] == [0]
    assert figures(records, "iterations") == [1]
    assert len(said(records, "error")) == 2


def test_the_later_runners_time_is_that_of_all_iterations() -> None:
    records = read(UcclLines(), "perf_multi_new_server.log")
    assert figures(records, "total_s") == [pytest.approx(0.162)]
    assert not figures(records, "average_s")
    assert figures(records, "rate_gb_s") == [pytest.approx(7.72 * GIB_GB)]
    assert not figures(records, "total_bytes")  # whole MiB: it would be wrong by up to one


def test_the_later_runner_counts_its_chunks_and_from_one() -> None:
    records = read(UcclLines(), "perf_multi_new_server.log")
    assert [(s.iteration, s.value) for s in said(records, "iteration_chunks")] == [
        (0, 128),
        (19, 17),
    ]
    assert figures(records, "iteration_chunks_due") == [128, 128]


def test_the_scripts_own_average_comes_last() -> None:
    records = read(UcclLines(), "bench_client.log")
    assert figures(records, "average_s")[-1] == pytest.approx(0.021)
    assert figures(records, "rate_gb_s")[-1] == pytest.approx(2.976 * GIB_GB)


def test_the_apis_line_is_of_all_iterations() -> None:
    records = read(UcclLines("exit ok"), "api_server.log")
    assert figures(records, "total_s") == [pytest.approx(0.0125)]
    assert figures(records, "rate_gb_s") == [pytest.approx(2.5 * GIB_GB)]
    assert len(said(records, "success")) == 1


def test_a_failure_with_status_0_is_told() -> None:
    records = read(UcclLines("[SUCCESS]"), "modules_failed.log")
    assert [s.line for s in said(records, "error")] == [
        "[FAIL] bootstrap_server_send_handles failed"
    ]
    assert not said(records, "success")


def test_handles_are_counted() -> None:
    records = read(UcclLines(), "perf_multi_old_server.log")
    (handles,) = [r for r in records if isinstance(r, Observed)]
    assert (handles.subject, handles.value) == ("handles_sent", 4)


def test_two_outputs_in_one_line_are_both_read() -> None:
    """Both go to one file in some scripts, and either may cut the other's line."""
    line = "[PERF] Iter 3 time=1.5ms[ChannelManager] Channel 1 \u2192 netDev 1 (eth2)"
    records = UcclLines().heard(line, 0)
    assert figures(records, "iteration_s") == [pytest.approx(0.0015)]
    assert [r.nic for r in records if isinstance(r, ChannelMapped)] == ["eth2"]


@pytest.mark.parametrize(
    "line", ["", "[PERF] Size: 64 MB", "Chunk size:     0 MB", "[WARN] something", "\x00\x1b[0m"]
)
def test_other_lines_mean_nothing(line: str) -> None:
    assert UcclLines().heard(line, 0) == []
