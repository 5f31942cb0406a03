"""What is launched: from one descriptor to all of 1 GiB."""

from __future__ import annotations

from dataclasses import dataclass

from harness.tcpx.net.plugin import PAGE_BYTES

CASE_BYTES = 1 << 30  # of all launches of a case


@dataclass(frozen=True, slots=True)
class Case:
    """One launch: requests of so many descriptors of 4 KiB."""

    name: str
    descriptors: int
    requests: int = 1

    @property
    def request_bytes(self) -> int:
        return self.descriptors * PAGE_BYTES

    @property
    def size_bytes(self) -> int:
        return self.requests * self.request_bytes


CASES = (
    Case("4KiB", 1),
    Case("64KiB", 16),
    Case("512KiB", 128),
    Case("8MiB", 2048),
    Case("64MiB", 2048, 8),
    Case("64MiB-batched", 128, 128),
    Case("1GiB", 2048, 128),
)
