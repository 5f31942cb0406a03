from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import NodeError
from harness.evidence import GpuHealth, GpuLoad, GpuPlace
from harness.nic import gpus as gpus_module
from harness.nic.gpus import RISE_BYTES, SAMPLE_S, WATCH_S, Gpus, unread
from suites.unit.nic.machines import MadeMachine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MadeMachine:
    return MadeMachine(tmp_path, monkeypatch, {}, {"uuid": "GPU-1", "bus_id": "00000000:0B:00.0"})


def gpus(machine: MadeMachine) -> Gpus:
    return Gpus("a", machine.nvml, ["lo"])


def test_an_exchange_is_framed_by_counters_and_loads(machine: MadeMachine) -> None:
    read = gpus(machine)
    before = list(read.idle([1]))
    assert [type(record) for record in before] == [GpuPlace, GpuHealth, GpuLoad]
    assert {record.gpu for record in before} == {1}
    assert {record.uuid for record in before} == {"GPU-1"}
    assert [nic.name for nic in before[0].nics] == ["lo"]
    assert [type(record) for record in read.settled()] == [GpuLoad, GpuHealth]
    assert [record.phase for record in before[1:]] == ["idle", "idle"]


def test_samples_come_once_a_second(machine: MadeMachine) -> None:
    read = gpus(machine)
    idle = list(read.idle([0, 1]))[-1]
    assert list(read.sample(idle.at_s)) == []
    assert [load.gpu for load in read.sample(idle.at_s + SAMPLE_S + 0.1)] == [0, 1]
    assert list(read.sample(idle.at_s + SAMPLE_S + 0.2)) == []


def test_who_comes_is_seen_before_the_next_sample(machine: MadeMachine) -> None:
    read = gpus(machine)
    at_s = list(read.idle([0, 1]))[-1].at_s
    machine.set(used=RISE_BYTES, processes=[[7, RISE_BYTES]])  # on GPU 0
    assert list(read.sample(at_s + WATCH_S / 2)) == [], "looked at a few times a second"
    (load,) = read.sample(at_s + 2 * WATCH_S)
    assert (load.gpu, load.phase) == (0, "sample")
    assert [process.pid for process in load.processes] == [7]
    machine.set(used=2 * RISE_BYTES)
    assert list(read.sample(at_s + 4 * WATCH_S)) == [], "somebody was seen there: once is enough"


def test_who_has_memory_and_is_not_listed_yet_is_looked_for_again(machine: MadeMachine) -> None:
    read = gpus(machine)
    at_s = list(read.idle([0]))[-1].at_s
    machine.set(used=RISE_BYTES)
    (load,) = read.sample(at_s + 2 * WATCH_S)
    assert load.processes == ()
    machine.set(processes=[[7, RISE_BYTES]])
    (load,) = read.sample(at_s + 4 * WATCH_S)
    assert [process.pid for process in load.processes] == [7]
    assert list(read.sample(at_s + 6 * WATCH_S)) == []


def test_where_processes_are_hidden_every_rise_is_looked_at(
    machine: MadeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpus_module, "LOOKS", 2)
    read = gpus(machine)
    at_s = list(read.idle([0]))[-1].at_s
    used = (*[RISE_BYTES] * 3, 2 * RISE_BYTES - 1, *[2 * RISE_BYTES] * 3)
    seen = []
    for turn, bytes_used in enumerate(used, 1):
        machine.set(used=bytes_used)
        seen += [load.memory_used_bytes for load in read.sample(at_s + turn * (WATCH_S + 0.01))]
    assert seen == [*[RISE_BYTES] * 2, *[2 * RISE_BYTES] * 2]


@pytest.mark.parametrize("state", [{"used": None}, {"lost": True}])
def test_memory_that_is_not_told_makes_no_sample_due(
    machine: MadeMachine, state: dict[str, object]
) -> None:
    read = gpus(machine)
    at_s = list(read.idle([0]))[-1].at_s
    machine.set(**state)
    assert list(read.sample(at_s + 2 * WATCH_S)) == []
    (load,) = read.sample(at_s + SAMPLE_S + 0.1)
    assert bool(load.trouble) is bool(state.get("lost"))


def test_only_the_gpus_of_this_exchange_are_read(machine: MadeMachine) -> None:
    read = gpus(machine)
    list(read.idle([0]))
    assert {record.gpu for record in read.idle([1])} == {1}
    assert {record.gpu for record in read.settled()} == {1}


def test_memory_that_is_given_back_late_is_waited_for(machine: MadeMachine) -> None:
    read = gpus(machine)
    list(read.idle([0]))
    machine.set(used=500 << 20, xids=[31])
    load, _ = read.settled(pause=lambda pause_s: machine.set(used=0))
    assert load.memory_used_bytes == 0
    assert load.xids == (31,), "what was heard while waiting is not lost"


def test_memory_that_is_not_given_back_is_waited_for_in_vain(
    machine: MadeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpus_module, "DEADLINE_S", 0.1)
    read = gpus(machine)
    list(read.idle([0]))
    machine.set(used=500 << 20)
    load, _ = read.settled()
    assert load.memory_used_bytes == 500 << 20


def test_xids_of_before_the_exchange_are_not_its(machine: MadeMachine) -> None:
    read = gpus(machine)
    list(read.idle([0]))
    machine.set(xids=[79])
    assert list(read.idle([0]))[-1].xids == ()


def test_a_gpu_that_cannot_be_read_has_no_uuid_and_a_reason() -> None:
    load = unread("a", 3, NodeError("no driver", expected="one"))
    assert (load.gpu, load.uuid, load.trouble) == (3, "", "no driver; expected one")
