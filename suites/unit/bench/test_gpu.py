"""The GPU's figures: read or refused, compared within a round, and what was not measured missed."""

from __future__ import annotations

import json

import pytest

from harness.bench import gpu
from harness.bench.gpu import GpuSheet
from harness.errors import PeerError


def line(case: str, peer: str, *gb_s: float) -> str:
    return json.dumps({"case": case, "peer": peer, "launches": 1, "gb_s": gb_s})


def sheet(*lines: str) -> GpuSheet:
    found = GpuSheet()
    for one in lines:
        found.add(one)
    return found


GOOD = (
    line("1GiB", "copy", 4000.0, 4200.0),
    line("1GiB", "copy-graph", 2700.0, 2700.0),
    line("1GiB", "stream-1x16-grid-all", 3900.0, 4000.0),
    line("1GiB", "stream-4x16-grid-1056", 3800.0, 3800.0),
    line("1GiB", "cupy.take", 1500.0, 1500.0),
    line("1GiB", "ours", 4000.0, 4000.0),
    line("1GiB", "ours-verify", 3900.0, 3900.0),
    line("64MiB-batched", "copy-graph", 4000.0, 4000.0),
    line("64MiB-batched", "copy", 3800.0, 3800.0),
    line("64MiB-batched", "ours", 3700.0, 3700.0),
    line("512KiB", "ours", 440.0, 430.0),
)


def test_all_promises_are_kept() -> None:
    found = sheet(*GOOD)
    assert found.problems() == []
    values = {ratio.name: ratio.value for ratio in found.ratios()}
    assert values["1GiB/ours-to-copy"] == pytest.approx((1.0 + 4000 / 4200) / 2)
    assert values["1GiB/ours-to-stream"] == pytest.approx((4000 / 3900 + 1.0) / 2)
    assert values["64MiB-batched/ours-to-copy"] == pytest.approx(3700 / 4000), "the better copy"
    assert values["512KiB/ours-gb-s"] == pytest.approx(435.0)


@pytest.mark.parametrize("missing", range(len(GOOD)))
def test_what_was_not_measured_is_missed_unless_another_stands_for_it(missing: int) -> None:
    found = sheet(*GOOD[:missing], *GOOD[missing + 1 :])
    case, peer = (json.loads(GOOD[missing])[key] for key in ("case", "peer"))
    lost = peer.startswith("ours")
    assert any(p.startswith(f"{case}/{peer}") for p in found.problems()) == lost


@pytest.mark.parametrize(
    ("slow", "name"),
    [
        (line("1GiB", "ours", 3700.0, 3700.0), "1GiB/ours-to-copy: 0.903, expected >= 0.95"),
        (line("1GiB", "ours", 3940.0, 3940.0), "1GiB/ours-to-stream: 0.998, expected >= 1"),
        (line("1GiB", "ours-verify", 3500.0, 3500.0), "1GiB/ours-verify-to-copy: 0.854"),
        (line("64MiB-batched", "ours", 3500.0, 3500.0), "64MiB-batched/ours-to-copy: 0.875"),
        (line("512KiB", "ours", 419.0, 419.0), "512KiB/ours-gb-s: 419.000, expected >= 420"),
    ],
)
def test_each_promise_can_be_missed(slow: str, name: str) -> None:
    assert any(problem.startswith(name) for problem in sheet(*GOOD, slow).problems())


def test_who_wrote_something_else_has_an_error_and_no_figure() -> None:
    wrong = {"case": "1GiB", "peer": "theirs", "launches": 1, "error": "7 words are not right"}
    found = sheet(*GOOD, json.dumps(wrong))
    assert found.problems() == ["1GiB theirs: 7 words are not right"]
    assert "theirs" not in "".join(found.table())


@pytest.mark.parametrize(
    "text", ["", "[]", "nonsense", "{}", line("1GiB", "ours"), line("1GiB", "ours", 0.0)]
)
def test_nonsense_is_named_and_never_a_number(text: str) -> None:
    with pytest.raises(PeerError, match="no figure"):
        GpuSheet().add(text)


def test_the_file_has_rows_and_ratios() -> None:
    body = json.loads(sheet('{"machine": {"gpu": "H200"}}', *GOOD).to_json())
    assert body["machine"] == {"gpu": "H200"}
    assert body["rows"][0]["gb_s"] == {"min": 4000.0, "median": 4100.0, "max": 4200.0}
    assert all(ratio["holds"] for ratio in body["ratios"])


def test_a_driver_that_breaks_off_leaves_its_figures_and_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = gpu._Ended("\n".join(GOOD[:2]), "NO_CUDA: no GPU")
    monkeypatch.setattr(gpu, "_driven", lambda *words: ended)
    found = gpu.measure(20, show=lambda line: None)
    assert len(found.taken) == 2
    assert found.errors == [f"{gpu.MODULE}: NO_CUDA: no GPU"]


def test_another_kernel_that_crashes_is_an_error_and_ours_is_measured_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, ...]] = []

    def driven(*words: str) -> gpu._Ended:
        asked.append(words)
        return gpu._Ended("", "misaligned address") if words[0] == "try-out" else gpu._Ended("", "")

    monkeypatch.setattr(gpu, "_driven", driven)
    found = gpu.measure(20, kernel="k.cu:theirs", show=lambda line: None)
    assert found.errors == ["k.cu:theirs: misaligned address"]
    assert asked == [("try-out", "k.cu:theirs"), ("20",)]
