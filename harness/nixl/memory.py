"""Memory that an engine knows: its own, and what the peer has told of its."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from harness.errors import RemoteProtocolError
from harness.nixl.states import Local, Remote


@dataclass(slots=True, eq=False)
class LocalMemory:
    """A registered buffer of ours."""

    number: int
    buffer: Any
    size_bytes: int
    address: int
    loaded: bool = False
    registered: bool = True
    holders: int = 0
    mem_id: int = 0  # with the Session, once a request needed it

    @property
    def public_data(self) -> str:
        """What the peer must load to name pieces of this memory."""
        return json.dumps({"number": self.number, "size_bytes": self.size_bytes})

    def overlaps(self, address: int, size_bytes: int) -> bool:
        return address < self.address + self.size_bytes and self.address < address + size_bytes

    @property
    def state(self) -> Local:
        if self.holders:
            return Local.HELD
        if self.loaded:
            return Local.LOADED
        return Local.REGISTERED if self.registered else Local.ABSENT


@dataclass(slots=True, eq=False)
class RemoteMemory:
    """What the peer has told of a buffer of its own."""

    number: int
    size_bytes: int
    loaded: bool = True
    holders: int = 0

    @property
    def state(self) -> Remote:
        if self.holders:
            return Remote.HELD
        return Remote.LOADED if self.loaded else Remote.ABSENT

    @classmethod
    def of(cls, public_data: str) -> RemoteMemory:
        try:
            body = json.loads(public_data)
            return cls(int(body["number"]), int(body["size_bytes"]))
        except (ValueError, TypeError, KeyError) as error:
            raise RemoteProtocolError(
                f"public data that cannot be read: {public_data[:80]!r}",
                expected='{"number": N, "size_bytes": N}',
            ) from error
