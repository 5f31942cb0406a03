"""When each iteration began and ended, and which of its chunks have passed.

Chunks of several iterations are under way at once, so that the wire never waits for the last chunk
of one before the first of the next. Each channel's thread notes its own chunks; whoever notes the
last one of a member's share hands the share over, and the role makes one iteration of all shares.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.plan import Plan
from harness.tcpx.lane import Job


@dataclass(slots=True)
class Iteration:
    """One iteration, or a member's share of one. `chunks` are those that have passed."""

    number: int
    started_s: float
    ended_s: float = 0.0
    bytes: int = 0
    cpu_s: float = 0.0  # of its processes since the first iteration could begin
    chunks: set[int] = field(default_factory=set)

    def add(self, share: Iteration) -> None:
        """What another member has to say of the same iteration."""
        self.started_s = min(self.started_s, share.started_s)
        self.ended_s = max(self.ended_s, share.ended_s)
        self.bytes += share.bytes
        self.cpu_s += share.cpu_s
        self.chunks |= share.chunks


class Iterations:
    """A member's shares of all iterations; `expected` chunks make one whole, and then `done` is
    called."""

    def __init__(self, plan: Plan, expected: int, done: Callable[[Iteration], None]) -> None:
        self._plan, self._expected, self._done = plan, expected, done
        self._lock = threading.Lock()
        self._open: dict[int, Iteration] = {}
        self._idle_cpu_s = time.process_time()

    def tag(self, number: int, chunk: int) -> int:
        """What a chunk is posted with, so that it can be told from the next iteration's."""
        return number * self._plan.chunks + chunk

    def place(self, tag: int) -> tuple[int, int]:
        """Iteration and chunk of a tag."""
        return divmod(tag, self._plan.chunks)

    def rounds(self, *, one_by_one: bool = False) -> list[range]:
        """The iterations, as far as they may overlap: all, or each alone if it is answered."""
        if one_by_one or self._plan.acknowledged:
            return [range(number, number + 1) for number in range(self._plan.iterations)]
        return [range(self._plan.iterations)]

    def jobs(self, numbers: range, places: Sequence[Job]) -> Iterator[Job]:
        """The chunks at `places`, once an iteration, each with its tag."""
        for number in numbers:
            first = self.tag(number, 0)
            for chunk, mem_id, offset, size_bytes, tag in places:
                yield Job(chunk, mem_id, offset, size_bytes, first + tag)

    def note(self, number: int, chunk: int, size_bytes: int) -> None:
        """One chunk has passed."""
        now_s = time.monotonic()
        with self._lock:
            share = self._open.get(number)
            if share is None:
                share = self._open[number] = Iteration(number, now_s)
            share.chunks.add(chunk)
            share.bytes += size_bytes
            whole = len(share.chunks) == self._expected
            if whole:
                del self._open[number]
        if whole:
            share.ended_s = time.monotonic()
            share.cpu_s = time.process_time() - self._idle_cpu_s
            self._done(share)

    def unfinished(self) -> list[Iteration]:
        """What began and did not end, the earliest first."""
        with self._lock:
            left, self._open = self._open, {}
        return [left[number] for number in sorted(left)]


class Shares:
    """All members' shares; `expected` chunks make an iteration whole."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._open: dict[int, Iteration] = {}

    def add(self, share: Iteration) -> Iteration | None:
        """The iteration, if this was what was missing of it."""
        iteration = self._open.setdefault(share.number, share)
        if iteration is not share:
            iteration.add(share)
        if len(iteration.chunks) < self._expected:
            return None
        return self._open.pop(share.number)

    def unfinished(self) -> list[Iteration]:
        """What is not whole, the earliest first."""
        return [self._open[number] for number in sorted(self._open)]
