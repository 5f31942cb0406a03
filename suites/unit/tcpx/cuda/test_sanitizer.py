"""The kernels under compute-sanitizer: clean, and a planted write beside a buffer is caught."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[4]
CHECKED = "suites/unit/tcpx/unpack/test_conformance.py"
TOOLS = ("memcheck", "initcheck", "synccheck", "racecheck")
CAUGHT = 77  # the exit status that says it found something
CHECK_S = 300.0

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        shutil.which("compute-sanitizer") is None, reason="compute-sanitizer is not installed"
    ),
]

# A piece of 16 bytes that the host has let through reaches one byte beyond its destination.
PLANTED = """
import numpy as np
from harness.tcpx.cuda import Batch, Request, cupy, span
from harness.tcpx.unpack.descriptor import DTYPE
cp = cupy()
cp.cuda.set_allocator(None)
bounce, to = cp.zeros(64, np.uint8), cp.zeros(16, np.uint8)
batch = Batch()
batch.load([Request(span(to), np.array([(0, 16, 0)], DTYPE), span(bounce))])
batch._rows["destination"] += {beyond}
batch._rows["how"] = 1
batch._launches = [("unpack_odd", (1, 1), 256)]  # takes any alignment
batch.launch()
cp.cuda.runtime.deviceSynchronize()
"""


def start(tool: str, *command: str) -> subprocess.Popen[str]:
    options = ["--tool", tool, "--error-exitcode", str(CAUGHT), "--print-limit", "5"]
    return subprocess.Popen(
        ["compute-sanitizer", *options, sys.executable, *command],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=CHECK_S)
    return process.returncode, said


def test_the_kernels_are_clean() -> None:
    pytest_run = ("-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", CHECKED)
    running = {tool: start(tool, *pytest_run) for tool in TOOLS}
    for tool, process in running.items():
        code, said = finished(process)
        assert code == 0, f"{tool}: {said}"
        assert "SUMMARY: 0 " in said, f"{tool}: {said}"
        assert " passed" in said, f"{tool}: {said}"


@pytest.mark.parametrize(("beyond", "code"), [(0, 0), (1, CAUGHT)])
def test_a_planted_write_beside_the_destination_is_caught(beyond: int, code: int) -> None:
    ended, said = finished(start("memcheck", "-c", PLANTED.format(beyond=beyond)))
    assert ended == code, said
    assert ("Invalid __global__ write of size" in said) == bool(beyond), said
