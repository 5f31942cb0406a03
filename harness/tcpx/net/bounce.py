"""The bounce buffer: 4 KiB pages in which messages land, in an order that is not the messages'.

One slot holds one message. Slots are handed out last in, first out, so that a receiver that keeps
up uses the same cache-hot pages again and again; a slot's memory costs nothing until it is first
used. Inside a slot no two pages of a message are neighbours, so that every page boundary exercises
the unpack step as a real NIC's page pool does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.tcpx.memory import host_buffer
from harness.tcpx.net.plugin import MAX_REQUESTS, PAGE_BYTES
from harness.tcpx.net.views import Views
from harness.tcpx.unpack.descriptor import DTYPE


class Slot:
    """Pages for one message: the views that receive, and the descriptors that tell of them."""

    __slots__ = ("_pages", "_views")

    def __init__(self, memory: memoryview, pages: NDArray[np.int64]) -> None:
        offsets = (pages * PAGE_BYTES).tolist()
        self._views: Views = [memory[at : at + PAGE_BYTES] for at in offsets]
        self._pages = np.empty(len(pages), DTYPE)
        self._pages["src_off"] = offsets
        self._pages["len"] = PAGE_BYTES
        self._pages["dst_off"] = np.arange(len(pages)) * PAGE_BYTES
        self._pages.setflags(write=False)

    def views(self, size_bytes: int, start: int = 0) -> Views:
        """The pages of a message of `size_bytes`, without its first `start` bytes."""
        whole, tail = divmod(size_bytes, PAGE_BYTES)
        first, skip = divmod(start, PAGE_BYTES)
        views = self._views[first:whole]
        if tail:
            views.append(self._views[whole][:tail])
        if skip:
            views[0] = views[0][skip:]
        return views

    def descriptors(self, size_bytes: int) -> NDArray[Any]:
        """Read-only, and of the slot: good until the slot is given back."""
        whole, tail = divmod(size_bytes, PAGE_BYTES)
        if not tail:
            return self._pages[:whole]
        found = self._pages[: whole + 1].copy()
        found["len"][whole] = tail
        return found

    def read(self, start: int, stop: int) -> bytes:
        """Bytes `start` to `stop` of what landed here, in the message's order."""
        return b"".join(self.views(stop, start))


class Bounce:
    """At most 16 slots of one comm, made when they are first needed."""

    def __init__(self, message_bytes: int, seed: int, *, shared: bool = False) -> None:
        self._pages = -(-message_bytes // PAGE_BYTES)
        self.array: NDArray[np.uint8] = host_buffer(
            MAX_REQUESTS * self._pages * PAGE_BYTES, shared=shared
        )
        self._memory = self.array.data
        self._random = np.random.default_rng(seed)
        self._free: list[Slot] = []
        self._made = 0

    def take(self) -> Slot:
        return self._free.pop() if self._free else self._make()

    def give(self, slot: Slot) -> None:
        self._free.append(slot)

    def _make(self) -> Slot:
        order = self._random.permutation(self._pages)
        while (np.diff(order) == 1).any():  # one in e permutations has no neighbours
            order = self._random.permutation(self._pages)
        first = self._made * self._pages
        self._made += 1
        return Slot(self._memory, first + order)
