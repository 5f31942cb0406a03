"""NIXL: the nearest product, multi-rail UCX over TCP. WRITE from DRAM to DRAM, which uses all NICs.

Its READ uses one NIC whatever it is told. The driver leaves by os._exit, because the library
crashes in its destructors after everything has been said.
"""

from __future__ import annotations

import sys

from harness.bench.bed import SERVER, Bed
from harness.bench.figures import Figure, Load
from harness.bench.peers.driven import drive, installed
from harness.plan.ucx import environment


class Nixl:
    """An agent a node, one WRITE of a message after the other."""

    name = "nixl"
    install = (
        "python3 -m venv V && V/bin/pip install --no-deps nixl nixl-cu12 numpy, "
        "then --python-nixl V/bin/python"
    )

    def __init__(self, python: str = sys.executable) -> None:
        self._python = python

    def find(self) -> str:
        return installed(self._python, "nixl._api", "nixl")

    def run(self, bed: Bed, load: Load) -> Figure:
        settings = {**environment(bed.nics(load.channels)), "NIXL_LOG_LEVEL": "ERROR"}
        return drive(bed, load, self._python, "nixl_write.py", settings, host=SERVER)
