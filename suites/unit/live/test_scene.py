"""A run as it is now, whenever it is looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import TestFinished, TestStarted
from harness.live import Scene
from suites.unit.report.run import DAMAGED, MAPPED, PLANNED, run

RUN = run()


def scene_of(at: int) -> Scene:
    scene = Scene()
    scene.take(RUN[:at])
    return scene


def test_a_whole_run() -> None:
    scene = scene_of(len(RUN))
    assert (scene.run, scene.tier, scene.nodes) == ("run-1", "testbed", ("alpha", "beta"))
    assert (scene.planned, scene.tests, scene.exit_code) == (len(PLANNED), {}, 1)
    assert scene.ended == {"PASS": 1, "FAIL": 1, "INCONCLUSIVE": 1, "ERROR": 1, "SKIP": 1}
    assert [test.outcome for test in scene.red] == ["FAIL", "INCONCLUSIVE", "ERROR"]


@pytest.mark.parametrize("at", range(1, len(RUN), 5))
def test_a_test_runs_from_its_start_to_its_end(at: int) -> None:
    records = [entry.record for entry in RUN[:at]]
    begun = {r.test for r in records if isinstance(r, TestStarted)}
    over = {r.test for r in records if isinstance(r, TestFinished)}
    assert set(scene_of(at).tests) == begun - over
    assert scene_of(at).exit_code is None


def test_an_exchange_belongs_to_its_test_and_is_forgotten_some_time_after_its_end() -> None:
    began = next(i for i, e in enumerate(RUN) if e.exchange == "main-2")
    scene = scene_of(began + 5)
    assert [act.name for act in scene.acts_of(DAMAGED)] == ["main-2"]
    assert [act.name for act in scene.acts_of(MAPPED)] == ["main-1"]
    scene.take(RUN[began + 5 :])
    scene.take([replace(RUN[-1], wall_s=RUN[-1].wall_s + 60.0)])
    assert scene.acts == {}
