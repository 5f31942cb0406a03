"""GPUs from what nvidia-smi lists, and the absence of any."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.facts import Sheet, gpus

LISTED = "0, NVIDIA H100 80GB HBM3, 81079\n1, NVIDIA H100 80GB HBM3, [N/A]\n"


def test_each_gpu_has_a_name_and_free_memory_or_why_not() -> None:
    sheet = Sheet()
    gpus.tell_listed(sheet, LISTED)
    assert sheet.facts["gpu.count"] == "2"
    assert sheet.facts["gpu.0.name"] == "NVIDIA H100 80GB HBM3"
    assert sheet.facts["gpu.0.free_mib"] == "81079"
    assert sheet.unknown == {"gpu.1.free_mib": "[N/A]"}


def test_a_node_without_a_driver_has_no_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpus, "DRIVER", str(tmp_path / "gone"))
    sheet = Sheet()
    gpus.tell(sheet)
    assert (sheet.facts, sheet.unknown) == ({"gpu.driver": "none"}, {})


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A driver, and the folder that PATH is; programs are put there."""
    version = "NVRM version: NVIDIA UNIX Open Kernel Module  550.90.07  Release Build\nGCC\n"
    (tmp_path / "version").write_text(version)
    monkeypatch.setattr(gpus, "DRIVER", str(tmp_path / "version"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_the_program_is_asked(driver: Path) -> None:
    program = driver / "nvidia-smi"
    program.write_text(f"#!/bin/sh\nprintf '%s' '{LISTED}'\n")
    program.chmod(0o755)
    sheet = Sheet()
    gpus.tell(sheet)
    assert "550.90.07" in sheet.facts["gpu.driver"]
    assert sheet.facts["gpu.count"] == "2"


def test_a_program_that_fails_is_unknown(driver: Path) -> None:
    program = driver / "nvidia-smi"
    program.write_text("#!/bin/sh\nexit 9\n")
    program.chmod(0o755)
    sheet = Sheet()
    gpus.tell(sheet)
    assert "returned non-zero exit status 9" in sheet.unknown["gpu.count"]
