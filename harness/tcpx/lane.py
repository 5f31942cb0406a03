"""A lane: one channel's thread. It alone makes the verb calls of its comm.

fill the window -> wait for the oldest -> unpack into the registered buffer -> on_chunk -> consumed.
Chunks come one by one through a queue of limited size, so that a stalled channel holds up the
poster in the end but never what other channels already have; or as a feed that this thread draws
from, so that no poster competes with it for the interpreter. How many chunks a feed has may be
known before, or only when it ends. What costs is paid by the chunk in
this thread, and while the chunk is in cache: a send is prepared right before it is posted. Nobody
is woken for a chunk, only for the end of the work.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.errors import TransportError
from harness.tcpx.channel_manager import Channel, ChannelManager
from harness.tcpx.net.plugin import Completion, Landing, NetPlugin
from harness.tcpx.sliding_window import SlidingWindow

QUEUE_CHUNKS = 256
_TICK_S = 0.1  # how long a lane may need to notice that it should stop


class Job(NamedTuple):
    """One chunk to move."""

    chunk: int
    mem_id: int
    offset: int
    size_bytes: int
    tag: int


# Channel, what was posted, descriptors, bounce buffer, the place that they are gathered into. A
# device answers with what to wait for.
Unpack = Callable[[int, Job, Any, NDArray[np.uint8], Any], "Landing | None"]
OnChunk = Callable[[int, Job, Any], None]  # channel, what was posted, its bytes or its landing


@dataclass(slots=True)
class ChannelStats:
    """What one channel has moved so far; times are monotonic, 0 before anything happened."""

    channel: int
    nic: str
    chunks: int = 0
    payload_bytes: int = 0
    first_s: float = 0.0  # when the first chunk was posted to the plugin
    last_s: float = 0.0  # when the last chunk was done


class Lane:
    """Moves one channel's chunks in one direction until it is stopped or fails."""

    def __init__(
        self,
        net: NetPlugin,
        manager: ChannelManager,
        channel: Channel,
        *,
        is_recv: bool,
        limit: int,
        unpack: Unpack,
        on_chunk: OnChunk | None,
        on_idle: Callable[[], None],
        on_failed: Callable[[Exception], None],
    ) -> None:
        self.channel = channel
        self.stats = ChannelStats(channel.channel_id, channel.nic)
        self.posted = 0
        self._net, self._manager, self._is_recv = net, manager, is_recv
        self._comm = channel.recv_comm if is_recv else channel.send_comm
        self._unpack = unpack
        self._verb = net.irecv if is_recv else net.isend
        self._on_chunk, self._on_idle, self._on_failed = on_chunk, on_idle, on_failed
        done, down = self._moved, self._down
        self._window = SlidingWindow(
            net, self._comm, limit, is_recv=is_recv, on_done=done, on_down=down
        )
        self._feed: Iterator[Job | None] = iter(())
        self._drawing = False  # from a feed whose end is not known
        self._queue: queue.SimpleQueue[Iterator[Job | None] | None] = queue.SimpleQueue()
        self._room = threading.Event()  # set when half the queue is free again
        self._stopping = False
        name = f"channel-{channel.channel_id}-{'recv' if is_recv else 'send'}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, job: Job, timeout_s: float) -> bool:
        """Hand a chunk over; False if there was no room in time."""
        if self.posted - self.stats.chunks >= QUEUE_CHUNKS:
            self._room.clear()
            if self.posted - self.stats.chunks >= QUEUE_CHUNKS and not self._room.wait(timeout_s):
                return False
        self.feed(iter((job,)), 1)
        return True

    def feed(self, jobs: Iterator[Job], count: int) -> None:
        """Hand `count` chunks over, to be drawn by this lane's thread as it has room for them."""
        self.posted += count
        self._queue.put(jobs)

    def draw(self, jobs: Iterator[Job | None]) -> None:
        """The same for chunks that nobody can count before they are drawn. None stands for none
        yet, which the feed may only say while this lane has something in flight."""
        self._drawing = True
        self._queue.put(self._drawn(jobs))

    @property
    def is_idle(self) -> bool:
        return not self._drawing and self.stats.chunks == self.posted

    def stop(self) -> None:
        self._stopping = True
        self._queue.put(None)  # wakes a lane that has nothing to do

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while self._fill():
                self._window.wait_and_release_oldest(_TICK_S)
        except Exception as error:  # noqa: BLE001 - the edge of a thread: it reports to the poster
            self._on_failed(self._named(error))
        self._window.clear()

    def _fill(self) -> bool:
        """Post what there is room for; with nothing in flight, wait for work. False: stop."""
        room = self._window.limit - self._window.size()
        while room and not self._stopping:
            job = next(self._feed, None)
            if job is not None:
                self._post(job)
                room -= 1
            elif not self._next_feed():
                break
        return not self._stopping

    def _drawn(self, jobs: Iterator[Job | None]) -> Iterator[Job | None]:
        for job in jobs:
            self.posted += job is not None
            yield job
        self._drawing = False
        self._on_idle()  # if the last chunk is still in flight, it says so again

    def _next_feed(self) -> bool:
        """Begin the next feed. False: there is none yet, but something is in flight, or stop."""
        try:
            feed = self._queue.get(block=self._window.size() == 0)
        except queue.Empty:
            return False
        if feed is not None:
            self._feed = feed
        return feed is not None

    def _post(self, job: Job) -> None:
        if not self.stats.first_s:
            self.stats.first_s = time.monotonic()
        _, mem_id, offset, size_bytes, tag = job
        if self._on_chunk and not self._is_recv:
            self._on_chunk(self.channel.channel_id, job, self._place(job, size_bytes))
        mr = self.channel.mrs[mem_id]
        self._window.add_request(self._verb(self._comm, mr, offset, size_bytes, tag), job)

    def _moved(self, job: Job, completion: Completion) -> Landing | None:
        """One chunk is done: a send is out, a receive lies in the bounce buffer."""
        _, size_bytes, descriptors, bounce = completion
        if self._is_recv:
            place = self._place(job, size_bytes)
            landing = self._unpack(self.channel.channel_id, job, descriptors, bounce, place)
            if landing is not None:
                return landing
            if self._on_chunk:
                self._on_chunk(self.channel.channel_id, job, place)
        self._count(size_bytes)
        return None

    def _down(self, job: Job, completion: Completion, landing: Landing) -> None:
        """A device has moved a chunk to its place."""
        if self._on_chunk:
            self._on_chunk(self.channel.channel_id, job, landing)
        self._count(completion.size_bytes)

    def _count(self, size_bytes: int) -> None:
        """One chunk more is where it should be, or out."""
        stats = self.stats
        stats.payload_bytes += size_bytes
        stats.last_s = time.monotonic()
        stats.chunks += 1
        left = self.posted - stats.chunks
        if left == QUEUE_CHUNKS // 2:  # a poster that waits is not woken for every chunk
            self._room.set()
        if not left:
            self._on_idle()

    def _place(self, job: Job, size_bytes: int) -> Any:
        return self._manager.memory(job.mem_id).array[job.offset : job.offset + size_bytes]

    def _named(self, error: Exception) -> Exception:
        if isinstance(error, TransportError):
            job = self._window.oldest
            error.channel = self.channel.channel_id
            error.where = error.where or self.channel.nic + (f", chunk {job.chunk}" if job else "")
        return error
