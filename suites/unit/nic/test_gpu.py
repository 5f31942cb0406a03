"""One GPU's records, from the stand-in and from a real one alike."""

from __future__ import annotations

import os
import time
from dataclasses import fields
from pathlib import Path

import pytest

from harness.errors import NodeError
from harness.evidence import GpuHealth
from harness.nic.gpu import COUNTERS, REASONS, Gpu
from suites.unit.nic.machines import HELD_MIB, MadeMachine, RealMachine

Machine = MadeMachine | RealMachine


@pytest.fixture(params=["made", pytest.param("real", marks=pytest.mark.gpu)])
def machine(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if request.param == "made":
        return MadeMachine(tmp_path, monkeypatch)
    try:
        return RealMachine()
    except NodeError as error:
        pytest.skip(f"needs an NVIDIA GPU: {error}")


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MadeMachine:
    return MadeMachine(tmp_path, monkeypatch)


# -- what the stand-in and the real one must both do ---------------------------------------------


def test_a_gpu_has_an_identity_that_sysfs_would_know(machine: Machine) -> None:
    gpu = Gpu(machine.nvml, 0)
    assert gpu.uuid.startswith("GPU-")
    assert gpu.name
    assert gpu.bus_id == gpu.bus_id.lower()
    assert len(gpu.bus_id) == len("0000:0a:00.0")


def test_a_gpu_that_is_not_there_is_refused_with_how_many_there_are(machine: Machine) -> None:
    nvml = machine.nvml
    with pytest.raises(NodeError, match=f"there is no GPU {nvml.count}; expected one of the"):
        Gpu(nvml, nvml.count)
    with pytest.raises(NodeError, match="Invalid Argument"):
        nvml.ask("nvmlDeviceGetHandleByIndex", nvml.count)


def test_a_function_that_the_binding_lacks_is_not_told(machine: Machine) -> None:
    assert machine.nvml.ask("nvmlDeviceGetPhaseOfTheMoon", 0) is None


def test_an_idle_gpu_has_nobody_on_it_and_no_trouble(machine: Machine) -> None:
    load = Gpu(machine.nvml, 0).load("a", "idle")
    assert (load.node, load.gpu, load.phase, load.trouble) == ("a", 0, "idle", "")
    assert load.memory_used_bytes is not None
    assert load.memory_used_bytes < 64 << 20
    assert load.processes == ()
    assert load.xids == ()
    assert load.sm_clock_mhz
    assert load.memory_clock_mhz
    assert set(load.throttle) <= {*REASONS.values(), "unknown"}
    assert 0 <= time.monotonic() - load.at_s < 5.0


def test_every_counter_is_told_and_none_runs_backwards(machine: Machine) -> None:
    gpu = Gpu(machine.nvml, 0)
    gpu.listen()
    first, second = gpu.health("a", "idle"), gpu.health("a", "settled")
    assert [f.name for f in fields(GpuHealth) if getattr(first, f.name) is None] == []
    assert set(first.throttled_ns) == set(COUNTERS.values())
    assert first.xid_events
    assert (first.remap_pending, first.remap_failed) == (False, False)
    assert (first.pcie_width_max, first.name) == (16, gpu.name)
    for name in ("ecc_uncorrected", "ecc_corrected_ever", "rows_remapped", "pcie_replays"):
        assert getattr(second, name) >= getattr(first, name) >= 0
    for reason, total in first.throttled_ns.items():
        assert second.throttled_ns[reason] >= total >= 0


def test_a_process_is_seen_with_its_memory_its_name_and_its_session(machine: Machine) -> None:
    gpu = Gpu(machine.nvml, 0)
    with machine.held() as pid:
        load = gpu.load("a", "sample")
    (process,) = load.processes
    assert process.pid == process.inner_pid == pid
    assert process.session == os.getsid(0)
    assert process.name
    assert process.memory_bytes is not None
    assert process.memory_bytes >= HELD_MIB << 20
    assert load.memory_used_bytes is not None
    assert load.memory_used_bytes >= process.memory_bytes
    assert gpu.load("a", "settled").processes == ()


def test_an_xid_is_heard_once_and_only_by_who_listens(machine: Machine) -> None:
    deaf, gpu = Gpu(machine.nvml, 0), Gpu(machine.nvml, 0)
    gpu.listen()
    assert gpu.load("a", "idle").xids == ()
    machine.plant_xid()
    assert gpu.load("a", "sample").xids == (31,)
    assert gpu.load("a", "settled").xids == ()
    assert deaf.load("a", "settled").xids == ()
    assert not deaf.health("a", "settled").xid_events


def test_the_stand_in_has_the_constants_of_the_real_binding(
    made: MadeMachine, machine: Machine
) -> None:
    shared = [n for n in vars(made.library) if n.startswith(("NVML_ERROR", "nvmlMemory_", "nvmlE"))]
    assert len(shared) > 8
    for name in shared:
        if not callable(getattr(made.library, name)):
            assert getattr(machine.library, name) == getattr(made.library, name), name


# -- what a real one seldom does -----------------------------------------------------------------


def test_what_a_gpu_does_not_tell_is_unknown_and_not_0(made: MadeMachine) -> None:
    untold = ("used", "clocks", "reasons", "throttled_ns", "ecc", "rows", "replays", "events")
    made.set(**dict.fromkeys(untold), processes=None, drawing=None)
    gpu = Gpu(made.nvml, 0)
    gpu.listen()
    load, health = gpu.load("a", "idle"), gpu.health("a", "idle")
    assert (load.memory_used_bytes, load.sm_clock_mhz, load.throttle) == (None, None, ("unknown",))
    assert load.trouble == ""
    assert (health.ecc_uncorrected, health.rows_remapped, health.remap_pending) == (None,) * 3
    assert (health.pcie_replays, health.xid_events, health.throttled_ns) == (None, False, {})
    assert health.pcie_width == 16


def test_a_reason_that_is_not_counted_is_left_out(made: MadeMachine) -> None:
    made.set(throttled_ns={"74": 5_000_000})
    assert Gpu(made.nvml, 0).health("a", "idle").throttled_ns == {"power_cap": 5_000_000}


@pytest.mark.parametrize(
    ("bits", "names"),
    [
        (0x1 | 0x2 | 0x100, ()),  # idling, application clocks and displays are no trouble
        (0x4, ("power_cap",)),
        (0x8 | 0x40, ("hardware_slowdown", "hardware_thermal")),
        (0x30, ("sync_boost", "software_thermal")),
        (0x80, ("power_brake",)),
    ],
)
def test_reasons_are_named(made: MadeMachine, bits: int, names: tuple[str, ...]) -> None:
    made.set(reasons=bits)
    assert Gpu(made.nvml, 0).load("a", "sample").throttle == names


def test_what_has_gone_wrong_is_counted(made: MadeMachine) -> None:
    made.set(ecc=[[1, 2], [3, 4]], rows=[5, 6, 1, 1], replays=7, generation=[1, 5], width=[8, 16])
    health = Gpu(made.nvml, 0).health("a", "settled")
    assert (health.ecc_corrected, health.ecc_corrected_ever) == (1, 2)
    assert (health.ecc_uncorrected, health.ecc_uncorrected_ever) == (3, 4)
    assert (health.rows_remapped, health.remap_pending, health.remap_failed) == (11, True, True)
    assert (health.pcie_replays, health.pcie_generation, health.pcie_generation_max) == (7, 1, 5)
    assert (health.pcie_width, health.pcie_width_max) == (8, 16)


def test_a_gpu_that_is_lost_says_so_in_its_record(made: MadeMachine) -> None:
    gpu = Gpu(made.nvml, 0)
    gpu.listen()
    made.set(lost=True)
    assert "GPU is lost" in gpu.load("a", "sample").trouble
    assert gpu.health("a", "settled").ecc_uncorrected is None


def test_who_computes_and_draws_is_one(made: MadeMachine) -> None:
    made.set(processes=[[1, 10], [999_999_999, None]], drawing=[[1, 5], [2, 7]])
    load = Gpu(made.nvml, 0).load("a", "sample")
    assert [(p.pid, p.memory_bytes) for p in load.processes] == [
        (1, 10),
        (2, 7),
        (999_999_999, None),
    ]
    assert load.processes[-1].session == -1
