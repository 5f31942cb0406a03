"""Machines with GPUs to read: one made of a file, and this one."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.nic.nvml import Nvml, open_nvml

MADE = Path(__file__).parent / "made"
HELD_MIB = 256
HOLD = """
import cupy, sys
held = cupy.ones({mib} << 20, dtype=cupy.uint8)
cupy.cuda.Device().synchronize()
print("held", flush=True)
sys.stdin.read()
"""
BURN = """
import cupy, os, sys, time
held = cupy.random.rand(8192, 8192, dtype=cupy.float32).astype(cupy.float16)
print(os.getpid(), flush=True)
until_s = time.monotonic() + {seconds}
while time.monotonic() < until_s:
    for _ in range(10):
        held @ held
    cupy.cuda.Device().synchronize()
"""
ASTRAY = """
import cupy
kernel = cupy.RawKernel(
    'extern "C" __global__ void astray(char* at) { *(volatile char*)at = 1; }', "astray"
)
kernel((1,), (1,), (16,))
cupy.cuda.Device().synchronize()
"""


class MadeMachine:
    """GPUs that are what the test says."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *gpus: dict[str, Any]):
        self.file = folder / "gpus.json"
        self._gpus = [dict(gpu) for gpu in gpus or ({},)]
        monkeypatch.setenv("MADE_NVML", str(self.file))
        self.set()
        self.library = _load()

    @property
    def nvml(self) -> Nvml:
        return Nvml(self.library)

    def set(self, gpu: int = 0, **values: Any) -> None:
        if self._gpus:
            self._gpus[gpu] |= values
        self.file.write_text(json.dumps({"gpus": self._gpus}))

    def plant_xid(self) -> None:
        self.set(xids=[31])

    @contextmanager
    def held(self) -> Iterator[int]:
        """A process of ours with memory on the GPU."""
        size = HELD_MIB << 20
        with subprocess.Popen(["sleep", "60"]) as process:
            self.set(used=size, processes=[[process.pid, size]])
            yield process.pid
            process.kill()
        self.set(used=0, processes=[])


class RealMachine:
    """This one, when it has a GPU and CuPy."""

    def __init__(self) -> None:
        self.nvml = open_nvml()

    @property
    def library(self) -> ModuleType:
        return sys.modules["pynvml"]

    def plant_xid(self) -> None:
        """Of a program that writes where it has nothing: Xid 31, which ends that program alone."""
        ran = subprocess.run([sys.executable, "-c", ASTRAY], capture_output=True, timeout=60)
        assert b"IllegalAddress" in ran.stderr, ran.stderr

    @contextmanager
    def held(self) -> Iterator[int]:
        command = [sys.executable, "-c", HOLD.format(mib=HELD_MIB)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin
            assert process.stdout
            assert process.stdout.readline() == b"held\n"
            yield process.pid
            process.stdin.close()


def _load() -> ModuleType:
    """A stand-in of its own, not the one that another test has."""
    spec = importlib.util.spec_from_file_location("made_pynvml", MADE / "pynvml.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
