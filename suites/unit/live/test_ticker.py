"""Without a terminal: a line at the beginning, at the end, and now and then between."""

from __future__ import annotations

import pytest

from harness.evidence import ExchangeEnded, RunStarted, TestFinished
from harness.live import Scene, Ticker
from harness.live.ticker import EVERY_S
from suites.unit.report.run import run
from suites.unit.report.shards import tried, with_record

RUN = run()


@pytest.fixture
def said() -> list[str]:
    return []


def told(said: list[str]) -> list[str]:
    """Without the time of day."""
    return [line.split(" ", 1)[1] for line in said]


def test_each_exchange_is_told_when_it_begins_and_when_it_ends(said: list[str]) -> None:
    ticker, scene = Ticker(said.append), Scene()
    for entry in RUN:
        scene.take([entry])
        ticker.show(scene, entry.wall_s)
    lines = told(said)
    assert [line for line in lines if line.startswith("main-1")] == [
        "main-1: transfer, beta to alpha, 4 channels, 16.0 MiB "
        "(test_mapping.py::test_channel_i_is_on_nic_i_mod_n[4])",
        "main-1: beta to alpha  PASS  0.017 GB/s in 2.0 s",
    ]
    assert any(line.startswith("main-2: beta to alpha  FAIL") for line in lines)
    assert sum(line.startswith(("FAIL", "ERROR", "INCONCLUSIVE")) for line in lines) == 3


def test_one_that_lasts_is_told_of_every_few_seconds(said: list[str]) -> None:
    ticker, scene = Ticker(said.append), Scene()
    at = next(i for i, e in enumerate(RUN) if isinstance(e.record, ExchangeEnded))
    scene.take(RUN[:at])
    for tick in range(100):
        ticker.show(scene, RUN[at].wall_s + tick / 10)
    assert len(said) == 1 + int(10 / EVERY_S) - 1
    assert "silent: " not in said[0]


def test_what_ended_before_the_first_look_is_not_told(said: list[str]) -> None:
    ticker, scene = Ticker(said.append), Scene()
    scene.take(RUN)
    ticker.show(scene, RUN[-1].wall_s)
    assert said == []
    assert isinstance(RUN[0].record, RunStarted)


def test_what_nodes_say_makes_no_line_of_its_own(said: list[str]) -> None:
    """Such as one that a CI system takes for a command, or a terminal for an order."""
    words = "boom\n::stop-commands::x\x1b[2J"
    ticker, scene = Ticker(said.append), Scene()
    scene.take(RUN[:1])
    ticker.show(scene, 0.0)
    scene.take(with_record(tried("FAIL"), TestFinished, message=words))
    ticker.show(scene, 1.0)
    assert told(said) == ["FAIL a.py::test_a  boom?::stop-commands::x?[2J"]
