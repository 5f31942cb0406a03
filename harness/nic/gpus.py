"""The GPUs of one exchange on one node, read before it, once in a while, and after it.

An exchange begins while its roles load their code and have not been told anything, so nothing of
theirs is on a GPU yet, and it ends when they have exited, so nothing of theirs may be left. Memory
of a process that has just died is given back within moments: the last reading waits for it. A role
may be there for less than the time between two samples: until a newcomer was seen, memory that
rises makes samples due. One is not enough: memory is taken before its owner is listed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from harness.errors import NodeError
from harness.evidence import GpuLoad, Record
from harness.nic.gpu import Gpu
from harness.nic.nvml import Nvml
from harness.nic.topology import gpu_place

SAMPLE_S = 1.0
WATCH_S = 0.1  # a question takes 0.1 ms; a CUDA context takes longer to make than this
RISE_BYTES = 64 << 20  # less than any CUDA context takes
LOOKS = 10  # after a rise; where processes are hidden nobody is ever listed
POLL_S = 0.05
DEADLINE_S = 1.0


def unread(node: str, gpu: int, error: NodeError) -> GpuLoad:
    """A GPU that nobody can read, and why: it has no uuid."""
    at_s = time.monotonic()
    return GpuLoad(node=node, gpu=gpu, uuid="", phase="idle", at_s=at_s, trouble=error.told)


class Gpus:
    """Kept as long as whoever reads them; `nics` are the data NICs whose distance matters."""

    def __init__(self, node: str, nvml: Nvml, nics: Sequence[str]) -> None:
        self._node, self._nvml, self._nics = node, nvml, nics
        self._known: dict[int, Gpu] = {}
        self._idle: dict[int, GpuLoad] = {}  # of this exchange
        self._due_s = 0.0
        self._last: dict[int, GpuLoad] = {}  # of those on which no newcomer was seen yet
        self._looks: dict[int, int] = {}  # since the rise above that
        self._watch_s = 0.0  # when their memory is looked at next

    def idle(self, indices: Sequence[int]) -> Iterator[Record]:
        """Where they are, their counters and who is on them before anything has begun."""
        self._idle.clear()
        for index in indices:
            gpu = self._known.get(index) or Gpu(self._nvml, index)
            self._known[index] = gpu
            gpu.listen()
            yield gpu_place(self._node, index, gpu.uuid, gpu.bus_id, self._nics)
            yield gpu.health(self._node, "idle")
            load = self._idle[index] = gpu.load(self._node, "idle")
            yield load
        self._last, self._looks = dict(self._idle), dict.fromkeys(self._idle, 0)
        self._due_s = time.monotonic() + SAMPLE_S
        self._watch_s = time.monotonic() + WATCH_S

    def sample(self, now_s: float) -> Iterator[Record]:
        """Who is on them now, once in SAMPLE_S; of a GPU that somebody just came to, at once."""
        if now_s >= self._due_s:
            self._due_s = now_s + SAMPLE_S
            yield from map(self._load, self._idle)
        elif self._last and now_s >= self._watch_s:
            self._watch_s = now_s + WATCH_S
            yield from map(self._load, filter(self._has_risen, tuple(self._last)))

    def _load(self, index: int) -> GpuLoad:
        load = self._known[index].load(self._node, "sample")
        before = {process.pid for process in self._idle[index].processes}
        if any(process.pid not in before for process in load.processes):
            self._last.pop(index, None)
        elif index in self._last:
            self._looks[index] += 1
            if self._looks[index] >= LOOKS or not self._has_risen(index):
                self._last[index], self._looks[index] = load, 0
        return load

    def _has_risen(self, index: int) -> bool:
        """Whether memory was taken since the last reading; a lost GPU waits for its sample."""
        last = self._last[index].memory_used_bytes
        try:
            now = None if last is None else self._known[index].memory_used_bytes()
        except NodeError:
            return False
        return last is not None and now is not None and now - last >= RISE_BYTES

    def settled(self, pause: Callable[[float], object] = time.sleep) -> Iterator[Record]:
        """Who is on them once memory is back to what it was, or will not be."""
        for index in self._idle:
            yield self._given_back(self._known[index], pause)
            yield self._known[index].health(self._node, "settled")

    def _given_back(self, gpu: Gpu, pause: Callable[[float], object]) -> GpuLoad:
        before = self._idle[gpu.index].memory_used_bytes
        deadline = time.monotonic() + DEADLINE_S
        xids: tuple[int, ...] = ()
        while True:
            load = gpu.load(self._node, "settled")
            xids += load.xids
            used = load.memory_used_bytes
            back = before is None or used is None or used <= before
            if back or time.monotonic() >= deadline:
                return replace(load, xids=xids)
            pause(POLL_S)
