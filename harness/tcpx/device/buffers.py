"""Device memory for roles: the operations of Buffers (../buffers.py), each an order to the device.

The process that makes this owns the device; it and all that it forks may use it. What arrives is
gathered from the pinned bounce buffer, or from one of the device's that a plugin has, and verified
on its way; what goes out is copied into pinned host memory, or read by a plugin.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import CudaError
from harness.tcpx.damage import Finding
from harness.tcpx.device.orders import (
    FILL,
    LOOK,
    PATIENCE_S,
    POISON,
    READ,
    WRITE,
    Orders,
    Ticket,
)
from harness.tcpx.device.service import Device, Service
from harness.tcpx.memory import host_buffer
from harness.tcpx.net.plugin import PAGE_BYTES, PTR_CUDA
from harness.tcpx.payload import Checker
from harness.tcpx.unpack.arrangement import arrange
from harness.tcpx.words import Place, first_word, words

_MORE_THREADS = 8  # than channels: the role's own, and those of transfers before


class Piece:
    """A piece of a device's memory."""

    __slots__ = ("_buffers", "address", "size")

    def __init__(self, buffers: DeviceBuffers, address: int, size_bytes: int) -> None:
        self._buffers, self.address, self.size = buffers, address, size_bytes

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, piece: slice) -> Piece:
        start, stop, _ = piece.indices(self.size)
        return Piece(self._buffers, self.address + start, max(0, stop - start))

    def read(self, offset: int, into: NDArray[np.uint8]) -> Ticket:
        ring = self._buffers.orders.mine
        return ring.give(READ, self.address + offset, into.size, host=into.ctypes.data)

    def pin(self, array: NDArray[np.uint8]) -> Callable[[], None]:
        return self._buffers.pin(array)

    def written(self) -> Ticket:
        return self._buffers.orders.mine.last

    def share(self) -> tuple[bytes, int]:
        return self._buffers.device.share(self.address)

    def adopt(
        self, handle: bytes, offset: int, size_bytes: int
    ) -> tuple[Piece, Callable[[], None]]:
        return self._buffers.adopt(handle, offset, size_bytes)


class DeviceIntake:
    """Unpacks and verifies one channel's chunks in one pass each."""

    def __init__(self, buffers: DeviceBuffers) -> None:
        self._buffers = buffers
        self._bounce: Any = None
        self._bounce_at = 0
        self.words = 0
        self.bytes = 0

    def unpack(
        self,
        descriptors: Any,
        bounce: NDArray[np.uint8] | Piece,
        view: Piece,
        nonce: int,
        place: Place | None,
    ) -> Ticket:
        if bounce is not self._bounce:
            self._bounce, self._bounce_at = bounce, _address(bounce)
        at, to, size = self._bounce_at, view.address, len(view)
        arranged = arrange(descriptors, bounce_bytes=bounce.size, size_bytes=size)
        base = None if place is None else first_word(nonce, place)
        how, extent = arranged.how(at, to), arranged.extent
        ring = self._buffers.orders.mine
        return ring.unpack(arranged.raw, extent, how, at, to, size, base)

    def check(self, landing: Any, view: Piece, nonce: int, place: Place) -> Finding | None:
        size = len(view)
        if landing is not None and (landing.address, landing.size) != (view.address, size):
            self._unsay(landing, view)
            landing = None
        if landing is None:
            base = first_word(nonce, place)
            landing = self._buffers.orders.mine.give(LOOK, view.address, size, base=base)
            self._buffers.wait(landing)
        looked, wrong, *_ = landing.outcome
        if wrong:
            return self._diagnose(view, nonce, place)
        if looked != words(size):
            raise CudaError(f"{looked} words were verified", expected=f"{words(size)} in the chunk")
        self.words += looked
        self.bytes += size
        return None

    def _unsay(self, landing: Ticket, view: Piece) -> None:
        """What landed elsewhere, or was too short, must not leave an earlier iteration's words to
        be taken for it."""
        is_short = landing.address == view.address and landing.size < len(view)
        self._buffers.poison(view[landing.size :] if is_short else view)

    def _diagnose(self, view: Piece, nonce: int, place: Place) -> Finding:
        """Fetch a chunk that is wrong, and say what is wrong with it."""
        data = self._buffers.fetch(view)
        finding = Checker(data.size).check(data, nonce, place)
        if finding is None:
            raise CudaError("the device found words wrong that are right once they are copied back")
        return finding


class DeviceBuffers:
    """One device's memory, for the threads of so many channels, in whatever processes they are.
    A message comes in at most so many `pieces`; 0: in pages, as ours does."""

    ptr_type = PTR_CUDA
    sends_ahead = 4
    is_checked_on_the_way = True

    def __init__(
        self, device: Device, *, channels: int, message_bytes: int, pieces: int = 0
    ) -> None:
        self.device = device
        threads = channels + _MORE_THREADS
        self.orders = Orders(threads, pieces or message_bytes // PAGE_BYTES + 2)
        scratch = host_buffer(threads * message_bytes, shared=True)
        self._scratch = scratch.reshape(threads, message_bytes)  # a row a ring
        for memory in (self.orders.memory, scratch):
            device.pin(memory)  # as long as there is the device
        service = Service(device, self.orders)
        weakref.finalize(self, service.stop)
        service.start()

    def pin(self, array: NDArray[np.uint8]) -> Callable[[], None]:
        """Let the device reach host memory; it is let go when no order can mean it any more."""
        unpin = self.device.pin(array)

        def undo() -> None:
            self.orders.drain(PATIENCE_S)
            unpin()

        return undo

    def adopt(
        self, handle: bytes, offset: int, size_bytes: int
    ) -> tuple[Piece, Callable[[], None]]:
        """Memory that another process shares; it is let go as pinned memory is."""
        address, let_go = self.device.adopt(handle, offset)

        def undo() -> None:
            self.orders.drain(PATIENCE_S)
            let_go()

        return Piece(self, address, size_bytes), undo

    def make(self, size_bytes: int, *, shared: bool) -> Piece:
        buffer = Piece(self, self.device.allocate(size_bytes), size_bytes)
        self.poison(buffer)
        self.settle()
        return buffer

    def fill(self, view: Piece, nonce: int, place: Place) -> None:
        base = first_word(nonce, place)
        self.orders.mine.give(FILL, view.address, len(view), base=base)

    def poison(self, view: Piece) -> None:
        self.orders.mine.give(POISON, view.address, len(view))

    def flip(self, view: Piece, at: int, bits: int) -> None:
        if not 0 <= at < len(view):
            raise CudaError(f"byte {at} of {len(view)} is to be changed", expected="one of them")
        ring = self.orders.mine
        here = self.fetch(view[at : at + 1])
        here ^= bits
        ring.give(WRITE, view.address + at, 1, host=here.ctypes.data)
        self.settle()

    def settle(self) -> None:
        self.wait(self.orders.mine.last)

    def fetch(self, view: Piece) -> NDArray[np.uint8]:
        """The bytes on the host, until this thread fetches again."""
        here: NDArray[np.uint8] = self._scratch[self.orders.mine.index, : len(view)]
        self.wait(view.read(0, here))
        return here

    def wait(self, ticket: Ticket) -> None:
        if not ticket.is_down(PATIENCE_S):
            raise CudaError(
                f"the device has not carried an order out in {PATIENCE_S:g} s", expected="far less"
            )

    def intake(self, max_bytes: int) -> DeviceIntake:
        return DeviceIntake(self)


def _address(bounce: NDArray[np.uint8] | Piece) -> int:
    return bounce.address if isinstance(bounce, Piece) else bounce.ctypes.data
