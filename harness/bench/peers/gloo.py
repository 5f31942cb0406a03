"""gloo, through torch.distributed: the same semantics as ours, with a Python API.

An operation of gloo takes one interface, in turn. A message is sent as one part a NIC, all at once.
"""

from __future__ import annotations

import sys

from harness.bench.bed import SERVER, Bed
from harness.bench.figures import Figure, Load
from harness.bench.peers.driven import drive, installed


class Gloo:
    """isend and irecv, as many at a time as there are NICs."""

    name = "gloo"
    install = (
        "python3 -m venv V && V/bin/pip install torch numpy "
        "--extra-index-url https://download.pytorch.org/whl/cpu, then --python-gloo V/bin/python"
    )

    def __init__(self, python: str = sys.executable) -> None:
        self._python = python

    def find(self) -> str:
        return installed(self._python, "torch.distributed", "torch")

    def run(self, bed: Bed, load: Load) -> Figure:
        settings = {"GLOO_SOCKET_IFNAME": ",".join(bed.nics(load.channels))}
        return drive(bed, load, self._python, "gloo_isend.py", settings, host=SERVER)
