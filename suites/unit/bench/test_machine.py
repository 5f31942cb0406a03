"""CPU time is read from the kernel's own files, and too much of others' marks a figure."""

from __future__ import annotations

import pytest

from harness.bench.machine import TICKS, await_idle, busy_s, disturbed, process_cpu_s


def test_busy_is_all_but_idle_and_waiting() -> None:
    assert busy_s("cpu  100 10 50 9999 777 5 5 30 0 0\ncpu0 1\n") == pytest.approx(200 / TICKS)


def test_a_name_with_brackets_and_spaces_does_not_shift_the_fields() -> None:
    stat = "7 (a) b) c) S 1 1 1 0 -1 4194304 1 0 0 0 150 50 9 9 20 0 1 0 1"
    assert process_cpu_s(stat) == pytest.approx(200 / TICKS)


@pytest.mark.parametrize(("foreign_s", "spoiled"), [(0.0, False), (0.2, False), (0.3, True)])
def test_other_work_spoils_a_figure_from_some_share_on(foreign_s: float, spoiled: bool) -> None:
    assert disturbed(foreign_s, 2.0) is spoiled


def test_cores_that_never_rest_are_not_waited_for_longer_than_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = iter(range(100))
    monkeypatch.setattr("harness.bench.machine.busy_s", lambda: next(seconds))
    monkeypatch.setattr("harness.bench.machine.LOOK_S", 0.0)
    assert await_idle(0.0) is False
