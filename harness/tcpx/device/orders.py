"""What threads want of a device: rings of orders in memory that a role shares with its crew.

A process that has used CUDA cannot be forked, and several that use one GPU take turns on it; so one
process owns the device (service.py) and all others order. Each thread has a ring of its own, taken
when it first orders something: one writer, one reader, and no locks. An order is complete in
itself; descriptors lie beside the ring. Orders of one ring are carried out in their sequence.

Whoever orders does so between two messages, with cold caches: it packs and unpacks single rows, at
a third of what NumPy takes for one. The device's side reads many at once, as arrays.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import struct
import threading
import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.errors import CudaError, LocalProtocolError
from harness.tcpx.memory import host_buffer
from harness.tcpx.unpack.arrangement import How
from harness.tcpx.unpack.descriptor import DTYPE

UNPACK, LOOK, READ, WRITE, FILL, POISON = range(6)
ORDER = np.dtype(
    [("op", "<u4"), ("how", "<u4"), ("count", "<u4"), ("verify", "<u4")]
    + [(name, "<u8") for name in ("descriptors", "host", "address", "size", "base", "begin", "end")]
)
# What was seen of an order's words: how many, how many wrong ones, the first and the last of those,
# and what the arrival flag said.
OUTCOME = np.dtype([(name, "<u8") for name in ("words", "wrong", "first", "last", "arrived")])
_ADDRESS, _SIZE = 6, 7  # the fields' places in an order
_ORDER, _OUTCOME = struct.Struct("<4I7Q"), struct.Struct("<5Q")  # one row of ORDER, of OUTCOME
RING = 64  # orders: four times the receives that a channel has in flight
PATIENCE_S = 30.0  # a device that needs longer for a ring of orders has failed
_POLL_S = 10e-6
_PR_SET_TIMERSLACK = 29
_prctl = ctypes.CDLL(None).prctl
_LINE = 8  # u64 a cache line
_POSTED, _DONE = 0, _LINE
_TOLD_BYTES = 512


def wake_promptly() -> None:
    """Sleep no longer than asked for, in this thread: the kernel's default adds 50 us."""
    _prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)


class Outcome(NamedTuple):
    """One row of OUTCOME."""

    words: int
    wrong: int
    first: int
    last: int
    arrived: int


class Ticket(NamedTuple):
    """One order that was given, for `size` bytes of the device at `address`."""

    ring: Ring
    number: int
    address: int
    size: int

    def is_down(self, timeout_s: float) -> bool:
        """Whether it was carried out, after waiting for it at most so long."""
        return self.ring.is_done(self.number, timeout_s)

    @property
    def outcome(self) -> Outcome:
        return self.ring.outcome(self.number)


class Ring:
    """One thread's orders."""

    def __init__(self, orders: Orders, index: int) -> None:
        self.index, self.pid = index, os.getpid()
        wake_promptly()
        self._failure = orders.failure
        self._words = orders.control[index].data
        self._orders = orders.orders[index].view(np.uint8).data
        self._outcomes = orders.outcomes[index].view(np.uint8).data
        pieces = orders.pieces[index]
        self._beside, self._stride = pieces.view(np.uint8).reshape(-1).data, pieces.strides[0]
        self._address = pieces.ctypes.data
        self._posted = int(self._words[_POSTED])
        self.last = Ticket(self, self._posted, 0, 0)  # of no order at all, one that is long done

    def unpack(
        self,
        pieces: bytes,
        extent: tuple[int, int],
        how: int,
        bounce: int,
        to: int,
        size: int,
        base: int | None,
    ) -> Ticket:
        """Gather `pieces`, the bytes of descriptors that lie in that `extent` of the bounce buffer;
        `base` is the first word expected, None: any."""
        count, verify = len(pieces) // DTYPE.itemsize, base is not None
        if len(pieces) > self._stride:  # the next place's would be overwritten
            most = self._stride // DTYPE.itemsize
            raise LocalProtocolError(
                f"a message in {count} pieces", expected=f"at most {most}, pages and their ends"
            )
        place = self._room()
        behind = place * self._stride
        self._beside[behind : behind + len(pieces)] = pieces
        at = self._address + behind
        what = (UNPACK, how, count, verify, at, bounce, to, size, base or 0)
        return self._post(place, (*what, *extent))

    def give(self, op: int, address: int, size: int, *, host: int = 0, base: int = 0) -> Ticket:
        """Any order that has no descriptors."""
        look = op == LOOK
        return self._post(
            self._room(),
            (op, How.LYING if look else 0, 0, look, 0, host, address, size, base, 0, 0),
        )

    def is_done(self, number: int, timeout_s: float) -> bool:
        if self._words[_DONE] >= number:
            return True
        until_s = time.monotonic() + timeout_s
        while self._words[_DONE] < number:
            if message := self._failure.tobytes().rstrip(b"\0"):
                raise CudaError(message.decode(errors="replace"))
            if time.monotonic() >= until_s:
                return False
            time.sleep(_POLL_S)
        return True

    def outcome(self, number: int) -> Outcome:
        if not self._posted - RING < number <= self._words[_DONE]:
            raise LocalProtocolError(
                f"the outcome of order {number}",
                expected=f"one of the last {RING} that were carried out",
            )
        place = (number - 1) % RING
        return Outcome._make(_OUTCOME.unpack_from(self._outcomes, place * _OUTCOME.size))

    def _room(self) -> int:
        """The place of the next order, once it is free."""
        if not self.is_done(self._posted + 1 - RING, PATIENCE_S):
            raise CudaError(
                f"the device did nothing for {PATIENCE_S:g} s", expected="an order carried out"
            )
        return self._posted % RING

    def _post(self, place: int, order: tuple[int, ...]) -> Ticket:
        _ORDER.pack_into(self._orders, place * _ORDER.size, *order)
        self._posted += 1
        self._words[_POSTED] = self._posted  # x86 keeps this store behind those of the order
        self.last = Ticket(self, self._posted, order[_ADDRESS], order[_SIZE])
        return self.last


class Orders:
    """Rings for at most `threads` threads of all processes, messages of at most `pieces` pieces."""

    def __init__(self, threads: int, pieces: int) -> None:
        self._threads, self._lock = threads, multiprocessing.Lock()
        self._own = threading.local()
        sizes: tuple[tuple[int, np.dtype[Any]], ...] = (
            (threads * 2 * _LINE, np.dtype("<u8")),
            (threads * RING, ORDER),
            (threads * RING, OUTCOME),
            (threads * RING * pieces, DTYPE),
            (_TOLD_BYTES, np.dtype("u1")),
            (1, np.dtype("<u8")),
        )
        offsets = np.cumsum([0] + [-(-count * kind.itemsize // 64) * 64 for count, kind in sizes])
        self.memory = host_buffer(int(offsets[-1]), shared=True)
        control, orders, outcomes, beside, self.failure, self._taken = (
            self.memory[at : at + count * kind.itemsize].view(kind)
            for at, (count, kind) in zip(offsets, sizes, strict=False)
        )
        self.control = control.reshape(threads, 2 * _LINE)
        self.orders, self.outcomes = orders.reshape(threads, RING), outcomes.reshape(threads, RING)
        self.pieces = beside.reshape(threads, RING, pieces)

    @property
    def posted(self) -> NDArray[Any]:
        """How many orders each ring has been given."""
        return self.control[:, _POSTED]

    @property
    def done(self) -> NDArray[Any]:
        """How many of them were carried out."""
        return self.control[:, _DONE]

    @property
    def mine(self) -> Ring:
        """The calling thread's ring."""
        ring: Ring | None = getattr(self._own, "ring", None)
        if ring is None or ring.pid != os.getpid():  # what is forked begins with its parent's
            ring = self._own.ring = Ring(self, self._take())
        return ring

    def drain(self, timeout_s: float) -> None:
        """Until all that anybody has ordered so far is done, or nothing will be any more."""
        posted, until_s = self.posted.copy(), time.monotonic() + timeout_s
        while (self.done < posted).any() and not self.failure.any():
            if time.monotonic() >= until_s:
                raise CudaError(
                    f"the device has not done what was ordered in {timeout_s:g} s",
                    expected="far less",
                )
            time.sleep(_POLL_S)

    def fail(self, message: str) -> None:
        """Whoever waits for an order gets this instead."""
        told = message.encode()[:_TOLD_BYTES]
        self.failure[: len(told)] = np.frombuffer(told, np.uint8)

    def _take(self) -> int:
        with self._lock:
            index = int(self._taken[0])
            if index >= self._threads:
                raise LocalProtocolError(
                    f"thread {index + 1} wants the device", expected=f"at most {self._threads}"
                )
            self._taken[0] = index + 1
        return index
