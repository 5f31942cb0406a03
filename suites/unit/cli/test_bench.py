"""`bench` refuses unknown words before it measures; its exit status says what was missed."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from harness.bench.gpu import GpuSheet
from harness.bench.sections import Sections
from harness.cli import bench
from harness.errors import HarnessError, PlanError


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return parser.parse_args(list(words))


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be measured here; peers are the ones that need no look-up."""

    def measure(self: Sections, names: list[str]) -> None:
        self.sheet.alone["fixed-cost-s"] = 0.1

    monkeypatch.setattr(Sections, "measure", measure)
    monkeypatch.setattr("harness.bench.peers.iperf3.Iperf3.find", lambda self: "3.12")
    monkeypatch.setattr("harness.bench.peers.ucx.UcxPerftest.find", lambda self: "")
    monkeypatch.setattr("harness.bench.peers.nixl.Nixl.find", lambda self: "")
    monkeypatch.setattr("harness.bench.peers.gloo.Gloo.find", lambda self: "")


@pytest.mark.parametrize(
    "words",
    [["--cases", "9g"], ["--peers", "netperf"], ["--require", "x"], ["--sections", "speed"]],
)
def test_a_word_that_nobody_knows_is_refused(words: list[str]) -> None:
    with pytest.raises(PlanError, match="expected some of"):
        bench.run(parse(*words))


@pytest.mark.parametrize("text", ["0", "5", "", "1,9", "x"])
def test_only_channels_that_have_a_nic_are_taken(text: str) -> None:
    with pytest.raises(SystemExit):
        parse("--channels", text)


def test_quick_means_two_short_rounds() -> None:
    args = parse("--quick", "--rounds", "9")
    assert bench.run(args) == 0
    assert (args.rounds, args.seconds) == (bench.QUICK_ROUNDS, bench.QUICK_SECONDS)


def test_without_require_a_missed_promise_is_only_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.run(parse()) == 0
    shown = capsys.readouterr().out
    assert "MISSES  1g-mtu9000/of-line" in shown
    assert "absent: nixl" in shown


def test_with_require_absent_peers_and_missed_promises_are_the_exit_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert bench.run(parse("--require", "iperf3,nixl")) == 1
    shown = capsys.readouterr().out
    assert "MISSED nixl is required and absent" in shown
    assert "MISSED 1g-mtu9000/of-line: not measured" in shown


def test_a_section_that_broke_is_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Sections, names: list[str]) -> None:
        self.sheet.errors.append("rates: boom")

    monkeypatch.setattr(Sections, "measure", broken)
    assert bench.run(parse()) == 1


def test_json_and_plot_are_written(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    bench.run(parse("--json", str(file)))
    body = json.loads(file.read_text())
    assert {"rows", "ratios", "peers"} <= set(body)
    assert (tmp_path / "bench.svg").read_text().startswith("<svg")


def test_a_file_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="cannot write"):
        bench.run(parse("--json", str(tmp_path / "no" / "bench.json")))


def test_a_gpu_is_measured_often_enough_to_have_a_median() -> None:
    with pytest.raises(PlanError, match="at least 20"):
        bench.run(parse("gpu", "--rounds", "19"))


@pytest.mark.parametrize(("words", "status"), [([], 0), (["--require"], 1)])
def test_a_gpu_that_misses_a_promise_is_the_exit_status_if_required(
    words: list[str],
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("harness.bench.gpu.measure", lambda rounds, **options: GpuSheet())
    file = tmp_path / "gpu.json"
    assert bench.run(parse("gpu", "--json", str(file), *words)) == status
    assert "MISSES  1GiB/ours-to-copy" in capsys.readouterr().out
    assert json.loads(file.read_text())["rows"] == []
