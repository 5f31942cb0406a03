"""A run is followed to its end, or to the moment when it is known to have died."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.evidence import Journal
from harness.live import Scene, follow
from harness.live.follow import EVERY_S, GONE_S
from suites.unit.report.run import run

RUN = run()


class Kept:
    """A view that keeps how many tests had ended at each look."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.closed = False

    def show(self, scene: Scene, now_s: float) -> None:
        self.seen.append(scene.ended.total())

    def close(self) -> None:
        self.closed = True


class Time:
    """Passes only in pauses; each pause lets `work` go on."""

    def __init__(self, work: object = None) -> None:
        self.now_s, self.work = 1000.0, work

    def clock(self) -> float:
        return self.now_s

    def pause(self, pause_s: float) -> None:
        self.now_s += pause_s
        if callable(self.work):
            self.work()


def followed(folder: Path, time: Time) -> tuple[Scene, Kept]:
    view = Kept()
    return follow(folder, view, clock=time.clock, pause=time.pause), view


def test_it_ends_with_the_run(tmp_path: Path) -> None:
    journal, left = Journal(tmp_path, "run-1"), list(RUN)

    def work() -> None:
        for entry in left[:4]:
            journal.write(entry.record, exchange=entry.exchange)
        del left[:4]

    time = Time(work)
    scene, view = followed(tmp_path, time)
    assert (scene.exit_code, left, view.closed) == (1, [], True)
    assert view.seen == sorted(view.seen)
    assert time.now_s == pytest.approx(1000.0 + EVERY_S * -(-len(RUN) // 4))


def test_a_run_whose_writer_is_gone_has_died(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "run-1")
    for entry in RUN[:-1]:
        journal.write(entry.record, exchange=entry.exchange)
    journal.close()
    time = Time()
    scene, _ = followed(tmp_path, time)
    assert scene.exit_code is None
    assert GONE_S < time.now_s - 1000.0 <= GONE_S + 2 * EVERY_S


def test_a_quiet_run_is_followed_for_as_long_as_it_lives(tmp_path: Path) -> None:
    journal, time = Journal(tmp_path, "run-1"), Time()

    def work() -> None:
        if time.now_s > 1500.0:
            journal.close()

    time.work = work
    followed(tmp_path, time)
    assert time.now_s > 1500.0


def test_the_view_is_closed_when_a_person_has_had_enough(tmp_path: Path) -> None:
    journal, view = Journal(tmp_path, "run-1"), Kept()

    def interrupted(pause_s: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(tmp_path, view, pause=interrupted)
    assert view.closed
    journal.close()
