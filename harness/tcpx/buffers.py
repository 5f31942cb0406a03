"""Where a role's payload lies: on the host (here), or on a device (device/).

Roles use a buffer through these operations alone and never ask which kind it is. Pieces are cut
from a buffer by slicing. What is received is unpacked and checked by an Intake, one a channel: the
host does both at once, in the channel's thread; a device (device/) answers with a Landing and has
checked every byte on its way.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.tcpx import payload
from harness.tcpx.memory import host_buffer
from harness.tcpx.net.plugin import PTR_HOST, Landing
from harness.tcpx.payload import Checker, Finding, Place
from harness.tcpx.unpack import unpack

Bytes = NDArray[np.uint8]


class Intake(Protocol):
    """What one channel has received and checked so far, in words and in bytes."""

    @property
    def words(self) -> int: ...

    @property
    def bytes(self) -> int: ...

    def unpack(
        self, descriptors: Any, bounce: Bytes, view: Any, nonce: int, place: Place | None
    ) -> Landing | None:
        """Gather one message into `view`; `place` says which words are expected there, None that
        nobody will ask."""

    def check(self, landing: Any, view: Any, nonce: int, place: Place) -> Finding | None:
        """What is wrong with the chunk in `view`; None if it is right. With its `landing`, what was
        seen on the way answers."""


class Buffers(Protocol):
    """Memory of one kind."""

    ptr_type: int
    sends_ahead: int  # of one channel, worth having in flight
    # Whether a chunk is checked while it is unpacked, and not in its place: then only what is
    # looked at again in the end has to be poisoned before.
    is_checked_on_the_way: bool

    def make(self, size_bytes: int, *, shared: bool) -> Any:
        """A buffer, poisoned; `shared` with those that this process forks."""

    def fill(self, view: Any, nonce: int, place: Place) -> None: ...

    def poison(self, view: Any) -> None: ...

    def flip(self, view: Any, at: int, bits: int) -> None:
        """Change bits of one byte, as a planted fault does."""

    def settle(self) -> None:
        """Wait until everything that was asked for is done."""

    def intake(self, max_bytes: int) -> Intake: ...


class HostIntake:
    """Unpacks and checks with NumPy."""

    def __init__(self, max_bytes: int) -> None:
        self._checker = Checker(max_bytes)

    @property
    def words(self) -> int:
        return self._checker.words

    @property
    def bytes(self) -> int:
        return self._checker.bytes

    def unpack(
        self, descriptors: Any, bounce: Bytes, view: Any, nonce: int, place: Place | None
    ) -> None:
        unpack(descriptors, bounce, view)

    def check(self, landing: Any, view: Any, nonce: int, place: Place) -> Finding | None:
        return self._checker.check(view, nonce, place)


class HostBuffers:
    """NumPy arrays."""

    ptr_type = PTR_HOST
    sends_ahead = 1
    is_checked_on_the_way = False

    def make(self, size_bytes: int, *, shared: bool) -> NDArray[np.uint8]:
        buffer = host_buffer(size_bytes, shared=shared)
        payload.poison(buffer)  # also brings its pages in, before anything is timed
        return buffer

    def fill(self, view: NDArray[np.uint8], nonce: int, place: Place) -> None:
        payload.fill(view, nonce, place)

    def poison(self, view: NDArray[np.uint8]) -> None:
        payload.poison(view)

    def flip(self, view: NDArray[np.uint8], at: int, bits: int) -> None:
        if at < 0:
            raise IndexError(f"byte {at} of {len(view)}")
        view[at] ^= bits

    def settle(self) -> None:
        """Nothing is ever under way."""

    def intake(self, max_bytes: int) -> HostIntake:
        return HostIntake(max_bytes)
