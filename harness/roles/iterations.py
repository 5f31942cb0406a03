"""When each iteration began and ended, and which of its chunks have passed.

Chunks of several iterations are under way at once, so that the wire never waits for the last chunk
of one before the first of the next. Each channel's thread notes its own chunks here; whoever notes
the last one of an iteration hands it over as done.
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
    """One iteration under way. `chunks` are those that have passed."""

    number: int
    started_s: float
    ended_s: float = 0.0
    bytes: int = 0
    cpu_s: float = 0.0  # of this process since the first iteration could begin
    chunks: set[int] = field(default_factory=set)


class Iterations:
    """All iterations of a plan; `expected` chunks make one whole, and then `done` is called."""

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

    def note(self, tag: int, size_bytes: int) -> None:
        """One chunk has passed."""
        number, chunk = self.place(tag)
        now_s = time.monotonic()
        with self._lock:
            iteration = self._open.setdefault(number, Iteration(number, now_s))
            iteration.chunks.add(chunk)
            iteration.bytes += size_bytes
            whole = len(iteration.chunks) == self._expected
            if whole:
                del self._open[number]
        if whole:
            self.end(iteration)
            self._done(iteration)

    def end(self, iteration: Iteration) -> None:
        """It ends now."""
        iteration.ended_s = time.monotonic()
        iteration.cpu_s = time.process_time() - self._idle_cpu_s

    def unfinished(self) -> list[Iteration]:
        """What began and did not end, the earliest first."""
        with self._lock:
            return [self._open[number] for number in sorted(self._open)]
