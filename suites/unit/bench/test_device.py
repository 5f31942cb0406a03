"""Device to device: what is promised, from which rounds, and what was not measured missed."""

from __future__ import annotations

from typing import Any

import pytest

from harness.bench import device
from harness.bench.device import HOST, SHAPES, UNVERIFIED, VERIFIED, DeviceSheet
from harness.bench.peers import Ours
from harness.bench.ratios import missed
from harness.errors import HarnessError, PeerError
from suites.unit.bench.turns import turns

SMALL, LARGE = SHAPES


def sheet(verified: float = 16.0, unverified: float = 16.5) -> DeviceSheet:
    found = DeviceSheet()
    for shape in SHAPES:
        found.taken[shape.name] = [
            *turns(VERIFIED, shape.channels, verified, verified),
            *turns(UNVERIFIED, shape.channels, unverified, unverified),
            *turns(HOST, shape.channels, 8.0, 8.0),
        ]
    found.taken[SMALL.name] += turns("iperf3", 4, 32.0, 32.0)
    return found


def test_all_promises_are_kept() -> None:
    found = sheet()
    assert missed(found.ratios()) == []
    values = {ratio.name: ratio.value for ratio in found.ratios()}
    assert values["4ch-512KiB/verified-to-unverified"] == pytest.approx(16 / 16.5)
    assert found.shares()["8ch-2048KiB/to-iperf3"] == pytest.approx(0.5), "of the same wires"
    assert found.shares()["4ch-512KiB/to-ours"] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("speeds", "names"),
    [
        ({"verified": 14.9, "unverified": 15.0}, ["8ch-2048KiB/gb-s: 14.900, expected >= 15"]),
        ({"unverified": 17.0}, [f"{s.name}/verified-to-unverified: 0.941" for s in SHAPES]),
    ],
)
def test_a_slow_exchange_misses_its_promise(speeds: dict[str, float], names: list[str]) -> None:
    lines = missed(sheet(**speeds).ratios())
    assert len(lines) == len(names)
    assert all(line.startswith(name) for line, name in zip(lines, names, strict=True))


def test_what_was_not_measured_is_missed() -> None:
    assert len(missed(DeviceSheet().ratios())) == 2 * len(SHAPES)
    assert set(DeviceSheet().shares().values()) == {None}


def test_a_turn_that_failed_is_named() -> None:
    found = sheet()
    found.taken[LARGE.name] += turns(VERIFIED, LARGE.channels, 0.0)
    assert found.problems() == ["8ch-2048KiB ours-cuda, round 1: PEER: it crashed"]
    assert found.to_json()["errors"] == found.problems()


def test_every_shape_is_measured_in_device_memory_and_beside_the_wires() -> None:
    for shape in SHAPES:
        peers = {peer.name: peer for peer in shape.peers()}
        assert {VERIFIED, UNVERIFIED, HOST} <= set(peers)
        assert ("iperf3" in peers) == (shape.channels <= 4)
        assert isinstance(peers[VERIFIED], Ours)


def test_iperf3_is_asked_for_before_anything_is_measured(monkeypatch: Any) -> None:
    monkeypatch.setattr("harness.bench.device.Iperf3.find", lambda self: "")
    with pytest.raises(PeerError, match="apt install iperf3"):
        device.measure(1, 1.0, print)


def test_without_a_gpu_it_says_so(monkeypatch: Any) -> None:
    monkeypatch.setattr("harness.bench.device.Iperf3.find", lambda self: "3.12")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(HarnessError, match="GPU"):
        device.measure(1, 1.0, print)
