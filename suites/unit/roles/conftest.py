"""Both kinds of memory for tests of whole roles."""

from __future__ import annotations

import pytest

from harness.plan import Assignment
from harness.roles import endpoint
from harness.tcpx.buffers import Buffers, HostBuffers
from suites.unit.tcpx.device.standin import device_buffers


@pytest.fixture(params=["host", "device"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything here holds for both kinds of memory."""

    def buffers(assignment: Assignment) -> Buffers:
        if request.param == "host":
            return HostBuffers()
        return device_buffers(assignment.plan.channels, assignment.plan.chunk_bytes)

    monkeypatch.setattr(endpoint, "buffers_of", buffers)
