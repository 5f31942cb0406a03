"""Lines for people: every channel, every claim, and the run."""

from __future__ import annotations

from pathlib import Path

from harness.evidence import GpuLoad, PreflightEnded
from harness.report import exchange_lines, run_lines
from suites.unit.report.run import BROKEN, DAMAGED, green, run
from suites.unit.verdict.clean import changed, clean, entries_of, sockets_changed

FOLDER = Path("reports/run-1")


def test_an_exchange_has_a_line_a_channel_and_a_line_a_claim() -> None:
    title, *lines = exchange_lines(clean())
    assert title.startswith("exchange main-1: transfer, beta to alpha, 4 channels")
    assert title.endswith("PASS")
    assert " ".join(lines[2].split()) == "channel 2 eth3 to eth3 4,194,304 bytes 0.004 GB/s 25.0%"
    assert len(lines) == 4 + 7
    assert "  PASS integrity: " in lines[6]
    assert lines[6].endswith("(checked 2,097,152)")


def test_a_channel_is_shown_where_its_sockets_are() -> None:
    entries = sockets_changed(clean(), "client", 2, nic="eth1", bound_device="eth1")
    lines = exchange_lines(entries)
    assert "eth1 to eth3" in lines[3]
    assert any(line.startswith("  FAIL mapping: MAPPING beta/eth3/channel 2: ") for line in lines)


def test_cuda_memory_and_one_gpu_for_both_are_said() -> None:
    own = clean(memory="cuda")
    assert exchange_lines(own)[0].startswith(
        "exchange main-1: transfer of cuda memory, beta to alpha, "
    )
    one = changed(own, GpuLoad, uuid="GPU-1")
    assert "transfer of cuda memory, one GPU for both roles, beta" in exchange_lines(one)[0]


def test_an_exchange_that_is_not_over_is_told_without_figures() -> None:
    title, *claims = exchange_lines(clean()[:1])
    assert title.endswith("ERROR")
    assert all(line.startswith("  ERROR ") for line in claims)


def test_no_exchange_no_lines() -> None:
    assert exchange_lines([]) == []


def test_a_run_ends_with_totals_verdict_and_report() -> None:
    *_, totals, verdict, page, report = run_lines(run(), FOLDER)
    assert totals == "5 tests: 1 SKIP, 1 PASS, 1 INCONCLUSIVE, 1 FAIL, 1 ERROR"
    assert (verdict, page) == ("verdict: ERROR", "page: reports/run-1/index.html")
    assert report == "report: reports/run-1/junit.xml"


def test_a_run_shows_every_red_test_with_its_reason() -> None:
    lines = run_lines(run(), FOLDER)
    at = lines.index(f"FAIL {DAMAGED}")
    assert lines[at + 1].startswith("  BITFLIP alpha/eth3/channel 2/chunk 6: ")
    assert f"ERROR {BROKEN}" in lines


def test_a_green_run_shows_its_largest_exchange_by_channel() -> None:
    lines = run_lines(green(), FOLDER)
    assert lines[0] == "run run-1, tier testbed, nodes alpha, beta"
    assert lines[1].startswith("largest exchange main-1")
    assert [line.split()[1] for line in lines[3:7]] == ["0", "1", "2", "3"]
    assert lines[-3] == "verdict: PASS"


def test_a_run_of_which_nothing_is_known_is_an_error() -> None:
    assert run_lines([], FOLDER)[-3] == "verdict: ERROR"


def test_the_preflight_is_told_in_one_line() -> None:
    ended = PreflightEnded(
        nodes=("a", "b"), checked=57, duration_s=0.3, unknown=("x",), allowed=("y", "z")
    )
    lines = run_lines(entries_of([(0.0, ended)]), FOLDER)
    assert (
        "preflight: 57 facts of a, b compared, 1 that nobody could read, 2 that may differ, "
        "0 problems" in lines
    )
