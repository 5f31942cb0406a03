"""A fault that a role commits on purpose, so that a check can be seen to fail.

TCP hides loss and corruption, so damage to the payload is done above it, by the role itself. The
fault is part of the plan: a report never mistakes a planted fault for a found one.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import PlanError

# kind -> who commits it. The roles room implements each of them.
KINDS = {
    "flip": "client",  # one byte of `chunk` is sent wrong; value = byte offset in the chunk
    "swap": "client",  # `chunk` and chunk `value` are sent in each other's place
    "stale": "client",  # `chunk` is sent with the previous iteration's words
    "zeros": "client",  # every chunk is sent as zeros
    "withhold": "client",  # `chunk`, the last of its channel, is never sent
    "drop": "server",  # `chunk` arrives but never reaches its place
    "short": "server",  # handles only `value` chunks, claims success all the same
    "raw": "server",  # leaves what arrives where it landed: unpacks nothing, verifies nothing
    "blind": "server",  # receives everything, verifies nothing, claims success all the same
    "exit": "server",  # prints success, then exits with `value`
    "hang": "server",  # stops itself (no progress, no exit) at `chunk`
    "die": "server",  # kills itself with SIGKILL at `chunk`
    "one_nic": "both",  # every channel, or `channel` alone, uses the node's `value`-th NIC
    "swap_nics": "both",  # the first two NICs change places
    "loopback": "both",  # the channels run over lo (both roles on one node)
    "bootstrap_count": "server",  # announces `value` handles
    "bootstrap_cut": "server",  # sends `value` bytes of handles, then closes
    "bootstrap_garbage": "server",  # answers like some other program
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One planted fault. Fields that a kind does not use stay at -1."""

    kind: str
    iteration: int = -1
    channel: int = -1
    chunk: int = -1
    value: int = -1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise PlanError(f"unknown fault {self.kind!r}", expected=f"one of {sorted(KINDS)}")

    def by(self, role: str) -> bool:
        """Whether `role` is the one that commits this fault."""
        return KINDS[self.kind] in (role, "both")
