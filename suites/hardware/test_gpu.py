"""Every node computes on its GPU, with the interpreter that roles are started with."""

from __future__ import annotations

import json

import pytest

from harness.nodes import Node

pytestmark = [pytest.mark.hardware, pytest.mark.gpu, pytest.mark.requires(gpus_per_node=1)]

START_S = 120.0  # the first import of cupy and the first kernel are compiled
WORDS = 1_000_000
PROGRAM = """
import json, os, sys
os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
import cupy
with cupy.cuda.Device(int(sys.argv[1])):
    a, b = (cupy.arange(int(sys.argv[2]), dtype=cupy.uint64) * factor for factor in (3, 4))
    total = int((a + b).sum())
    where = int(a.device.id)
print(json.dumps({"python": sys.executable, "gpu": where, "sum": total}))
"""


def test_every_node_adds_two_vectors_on_each_of_its_gpus(nodes: tuple[Node, ...]) -> None:
    for node in nodes:
        for gpu in node.spec.gpus:
            words = [node.spec.python, "-c", PROGRAM, str(gpu.index), str(WORDS)]
            ran = node.run(words, timeout_s=START_S)
            assert ran.code == 0, f"{node.spec.name}: {ran.stderr.strip()[-500:]}"
            found = json.loads(ran.stdout)
            assert found["python"].endswith(node.spec.python), node.spec.name
            assert (found["gpu"], found["sum"]) == (gpu.index, 7 * WORDS * (WORDS - 1) // 2)
