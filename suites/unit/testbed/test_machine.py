from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.errors import TestbedError
from harness.testbed import machine


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    """/dev of a machine with two GPUs; in a container they need not be the first ones."""
    for name in ("nvidia3", "nvidia5", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    return tmp_path


def test_device_files_are_counted(devices: Path) -> None:
    assert machine.gpus({}, devices) == (0, 1)


@pytest.mark.parametrize(("chosen", "found"), [("1", (1,)), ("1, 0", (1, 0)), ("", ())])
def test_what_the_environment_hides_is_not_used(
    devices: Path, chosen: str, found: tuple[int, ...]
) -> None:
    assert machine.gpus({machine.VISIBLE: chosen}, devices) == found


@pytest.mark.parametrize("chosen", ["2", "GPU-1234", "-1"])
def test_a_choice_that_cannot_be_read_is_an_error(devices: Path, chosen: str) -> None:
    with pytest.raises(TestbedError, match=r"CUDA_VISIBLE_DEVICES is .*expected some of 0\.\.1"):
        machine.gpus({machine.VISIBLE: chosen}, devices)


def test_no_gpu_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TestbedError) as caught:
        machine.require_gpus({}, tmp_path)
    assert str(caught.value) == (
        "a testbed of tier testbed-gpu cannot be built: this machine has no GPU "
        f"(no {tmp_path}/nvidia0). Use a machine with an NVIDIA GPU and driver, or host memory"
    )


def test_hidden_gpus_are_said_to_be_hidden(devices: Path) -> None:
    with pytest.raises(TestbedError, match="or none that CUDA_VISIBLE_DEVICES lets through"):
        machine.require_gpus({machine.VISIBLE: ""}, devices)


def test_a_login_finds_the_machines_programs_and_the_drivers_libraries() -> None:
    own = {"PATH": "/opt/x/bin:relative::/usr/bin", "LD_LIBRARY_PATH": "/opt/driver", "HOME": "/h"}
    found = machine.environment(own)
    assert found["PATH"] == f"{':'.join(machine.PLACES)}:/opt/x/bin:{sys.prefix}/bin"
    assert found == {"PATH": found["PATH"], "LD_LIBRARY_PATH": "/opt/driver"}
