"""CPU time of the machine and of a process tree; see also the roles' record of them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from harness.nic import cpu
from harness.nic.cpu import cpus, machine, tree_s


def test_all_time_of_all_cpus_is_somewhere() -> None:
    before, began_s = cpus(), time.monotonic()
    time.sleep(0.3)
    after, took_s = cpus(), time.monotonic() - began_s
    whole_s = sum(after) - sum(before)
    count = os.cpu_count() or 1
    assert whole_s == pytest.approx(count * took_s, rel=0.1, abs=0.05 * count)


def test_guests_of_this_machine_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    spent = {"user": 8, "nice": 4, "system": 2, "steal": 3, "guest": 5, "guest_nice": 2}
    rest = {"idle": 100, "iowait": 1, "irq": 1, "softirq": 1}
    times = psutil._pslinux.scputimes(**spent, **rest)
    monkeypatch.setattr(psutil, "cpu_times", lambda: times)
    assert cpus() == (17, 103)


class Process:
    """Has spent a second, and has its children's with it once it has waited for them."""

    def __init__(self, *below: Process, gone: bool = False) -> None:
        self.below, self.gone = below, gone
        self.reaped_s = 0.0

    def children(self, *, recursive: bool) -> list[Process]:
        assert recursive
        return [one for child in self.below for one in (child, *child.children(recursive=True))]

    def cpu_times(self) -> tuple[float, ...]:
        if self.gone:
            raise psutil.NoSuchProcess(1)
        return 1.0, 0.0, sum(1.0 for child in self.below if child.gone), 0.0, 0.0


class Ends(Process):
    """Ends, and is waited for, when it is asked."""

    def cpu_times(self) -> tuple[float, ...]:
        self.gone = True
        return super().cpu_times()


def test_a_child_that_ends_while_they_are_read_is_its_parents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tree = Process(Process(Ends(), Process()), Process(gone=True))
    asked = SimpleNamespace(Process=lambda: tree, NoSuchProcess=psutil.NoSuchProcess)
    monkeypatch.setattr(cpu, "psutil", asked)
    assert tree_s() == 5.0


def test_a_machine_says_which_it_is(tmp_path: Path) -> None:
    assert len(machine()) == 36
    assert machine() == machine()
    assert machine(tmp_path / "hidden") == ""
