"""Another project's kernel: refused with its reason, or held to what it writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.bench.drivers.gpu_kernels import HEADER, Foreign
from harness.errors import PeerError

IDLE = 'extern "C" __global__ void idle(const void* block) {}\n'
TRY_S = 120.0


def test_the_header_is_of_40_bytes() -> None:
    assert HEADER.itemsize == 40


@pytest.mark.parametrize("what", ["", "kernel.cu", ":name", "/nowhere/kernel.cu:name"])
def test_a_source_that_is_not_there_is_named(what: str) -> None:
    with pytest.raises(PeerError, match="names no source"):
        Foreign(what)


def test_nvcc_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "kernel.cu"
    source.write_text(IDLE)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PeerError, match="nvcc is not on the path"):
        Foreign(f"{source}:idle")


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        (IDLE, "idle", "words are not what they should be"),
        (IDLE, "other", "cannot be loaded"),
        ("nonsense", "idle", "nvcc refuses it"),
    ],
)
def test_a_kernel_that_does_not_unpack_is_no_figure(
    tmp_path: Path, text: str, name: str, words: str
) -> None:
    source = tmp_path / "kernel.cu"
    source.write_text(text)
    command = [sys.executable, "-m", "harness.bench.drivers.gpu", "try-out", f"{source}:{name}"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=TRY_S, check=False)
    assert ran.returncode == 1
    assert words in ran.stderr
