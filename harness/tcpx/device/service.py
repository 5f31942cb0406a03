"""The one thread that talks to a device: takes what all rings hold, has it done, says so.

Everything that was ordered since the last look goes in one batch, so that the more there is to do,
the less each order costs; and while the device is busy with one batch, the next is made ready. From
each ring only orders of one kind are taken at a time. That keeps their sequence: the orders of a
batch are carried out in none, and batches one after the other.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.tcpx.device.orders import RING, Orders, wake_promptly

_AHEAD = 2  # batches that the device has at a time
_IDLE_S = 10e-6
_LONG_S = 0.001  # to sleep when nobody has ordered anything for a while
_WHILE_S = 0.01


class Work(Protocol):
    """A batch that a device is busy with."""

    def outcomes(self) -> NDArray[Any]:
        """What was seen, an OUTCOME an order, once all is done. May be asked once."""


class Device(Protocol):
    """What does the work. One thread begins batches; any may allocate and pin."""

    def allocate(self, size_bytes: int) -> int:
        """The address of new memory, which lives as long as the device."""

    def pin(self, array: NDArray[np.uint8]) -> Callable[[], None]:
        """Let the device reach host memory, until the answer is called."""

    def share(self, address: int) -> tuple[bytes, int]:
        """What opens the allocation that `address` is of in another process, and where in it."""

    def adopt(self, handle: bytes, offset: int) -> tuple[int, Callable[[], None]]:
        """The address of what another process shares, until the answer is called."""

    def begin(self, orders: NDArray[Any]) -> Work:
        """Have orders carried out; at most two batches are under way."""


class _Batch(NamedTuple):
    """Orders under way: the rings they came from and their places there."""

    counts: list[tuple[int, int]]  # ring, how many of its orders
    rings: NDArray[np.int64]
    places: NDArray[np.int64]
    work: Work


class Service(threading.Thread):
    """Runs until it is stopped or the process ends."""

    def __init__(self, device: Device, orders: Orders) -> None:
        super().__init__(name="device", daemon=True)
        self._device, self._orders = device, orders
        self._taken = [int(count) for count in orders.done]
        self._batches: deque[_Batch] = deque()
        self._stopping = False

    def run(self) -> None:
        wake_promptly()
        idle_since_s = time.monotonic()
        try:
            while not self._stopping:
                if self.turn():
                    idle_since_s = time.monotonic()
                else:
                    is_long = time.monotonic() - idle_since_s > _WHILE_S
                    time.sleep(_LONG_S if is_long else _IDLE_S)
        except HarnessError as error:
            self._orders.fail(f"{error.klass}: {error}")
        except Exception as error:  # noqa: BLE001 - the edge of a thread: all who wait must hear
            self._orders.fail(f"{error!r}")

    def stop(self) -> None:
        self._stopping = True

    def turn(self) -> bool:
        """Begin a batch, end one; False if there was nothing to do."""
        batch = self._begin()
        if batch:
            self._batches.append(batch)
        if self._batches and (not batch or len(self._batches) == _AHEAD):
            self._end(self._batches.popleft())
            return True
        return batch is not None

    def _begin(self) -> _Batch | None:
        """Have done what was ordered since the last look."""
        counts, rings, places = [], [], []
        for ring, posted in enumerate(self._orders.posted.tolist()):
            if found := self._next(ring, posted):
                counts.append((ring, len(found)))
                rings += [ring] * len(found)
                places += found
        if not counts:
            return None
        at = np.array(rings), np.array(places)
        return _Batch(counts, *at, self._device.begin(self._orders.orders[at]))

    def _next(self, ring: int, posted: int) -> list[int]:
        """The places of a ring's next orders, as far as they are of one kind."""
        first = self._taken[ring]
        if first == posted:
            return []
        places = [number % RING for number in range(first, posted)]
        ops = self._orders.orders["op"][ring, places].tolist()
        same = next((i for i, op in enumerate(ops) if op != ops[0]), len(ops))
        self._taken[ring] += same
        return places[:same]

    def _end(self, batch: _Batch) -> None:
        """Wait for a batch, and tell what was seen."""
        self._orders.outcomes[batch.rings, batch.places] = batch.work.outcomes()
        for ring, count in batch.counts:
            self._orders.done[ring] += count
