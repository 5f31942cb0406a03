"""Damage of every kind is found by all who verify, and called the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from harness.tcpx.damage import KINDS
from suites.unit.tcpx.unpack.mutations import GROUP, by_reference, groups, lay, settled

PROJECT = Path(__file__).parents[4]
DAMAGED = 1_000_000  # chunks that the GPU and NumPy must agree on
COMPARE_S = 300.0


def test_the_reference_finds_all_damage_and_nothing_else() -> None:
    parts = list(groups(seed=1, count=2000))
    found = by_reference(lay(np.random.default_rng(2), parts))
    kinds: Counter[str] = Counter()
    for number, part in enumerate(parts):
        mine = [finding for _, finding in found[number * GROUP : (number + 1) * GROUP]]
        assert sum(finding is not None for finding in mine) == part.damaged
        kinds += settled(mine)
    assert set(kinds) == set(KINDS)
    arrived = [data for part in parts for data in part.arrived]
    assert all(np.array_equal(a, data) for a, (data, _) in zip(arrived, found, strict=True))


@pytest.mark.gpu
def test_the_gpu_and_numpy_agree_on_a_million() -> None:
    cores = os.cpu_count() or 1
    share = -(-DAMAGED // cores)
    module = "suites.unit.tcpx.unpack.mutations"
    running = [
        subprocess.Popen(
            [sys.executable, "-m", module, str(1000 * (core + 1)), str(share)],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for core in range(cores)
    ]
    kinds: Counter[str] = Counter()
    for process in running:
        said, wrong = process.communicate(timeout=COMPARE_S)
        assert process.returncode == 0, wrong[-2000:]
        kinds += Counter(json.loads(said))
    assert kinds.total() >= DAMAGED
    assert set(kinds) == set(KINDS)
