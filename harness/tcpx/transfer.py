"""A transfer: chunks posted in order, moved by all channels at once, waited for together.

Chunk i travels on channel i mod n, unless it is fed to another. `wait` ends a round: the next post
is chunk 0 again, so one transfer serves many iterations. Any channel's failure fails the transfer
at once; a lost peer is reported only if nothing else went wrong, because it is the echo of
something.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from harness.errors import LocalProtocolError, PeerGoneError, StallError
from harness.tcpx.channel_manager import Channel, ChannelManager
from harness.tcpx.lane import ChannelStats, Job, Lane, OnChunk, Unpack
from harness.tcpx.net.plugin import NetPlugin

_TICK_S = 0.1
_JOIN_S = 1.0


class Transfer:
    """Made by Session.create_transfer."""

    def __init__(
        self,
        net: NetPlugin,
        manager: ChannelManager,
        *,
        recv_window: int,
        send_window: int,
        deadline_s: float,
        unpack: Unpack,
        on_chunk: OnChunk | None = None,
    ) -> None:
        self._net, self._manager = net, manager
        self._on_chunk, self._unpack = on_chunk, unpack
        self._limits = {True: recv_window, False: min(send_window, net.sends_ahead)}
        self._deadline_s = deadline_s
        self._lanes: dict[int, Lane] = {}
        self._changed = threading.Condition()
        self._failures: list[Exception] = []
        self._released = False
        self._next = 0

    def post_recv(
        self, mem_id: int, offset: int, size_bytes: int, tag: int = 0, *, chunk: int | None = None
    ) -> None:
        """Receive the next chunk there; `chunk` names another than the next in turn."""
        self._post(mem_id, offset, size_bytes, tag, chunk, is_recv=True)

    def post_send(
        self, mem_id: int, offset: int, size_bytes: int, tag: int = 0, *, chunk: int | None = None
    ) -> None:
        """Send the next chunk from there; the bytes must stay as they are until `wait`."""
        self._post(mem_id, offset, size_bytes, tag, chunk, is_recv=False)

    def feed_recv(self, channel: int, jobs: Iterator[Job], count: int) -> None:
        """Receive `count` chunks on `channel`, drawn from `jobs` by the channel's own thread."""
        self._feed(channel, jobs, count, is_recv=True)

    def feed_send(self, channel: int, jobs: Iterator[Job], count: int) -> None:
        """Send `count` chunks on `channel`, drawn from `jobs` by the channel's own thread."""
        self._feed(channel, jobs, count, is_recv=False)

    def draw_recv(self, channel: int, jobs: Iterator[Job | None]) -> None:
        """Receive on `channel` as many chunks as `jobs` yields until it ends (see Lane.draw)."""
        self._refuse_released()
        self._raise_failure()
        self._lane(self._manager.get_channel(channel), is_recv=True).draw(jobs)

    def is_complete(self) -> bool:
        self._raise_failure()
        return self._is_idle()

    def wait(self, deadline_s: float | None = None) -> None:
        """Until every posted chunk is done; a StallError names the channels that are not."""
        limit_s = self._deadline_s if deadline_s is None else deadline_s
        with self._changed:
            self._changed.wait_for(lambda: self._failures or self._is_idle(), limit_s)
            self._raise_failure()
            if not self._is_idle():
                raise self._stall(limit_s)
            self._next = 0

    @property
    def completed_chunks(self) -> int:
        """Of this round and those before it."""
        return sum(lane.stats.chunks for lane in self._lanes.values())

    @property
    def total_chunks(self) -> int:
        return sum(lane.posted for lane in self._lanes.values())

    def channel_stats(self) -> list[ChannelStats]:
        """What each channel moved over all rounds; may be read at any time."""
        channels = map(self._manager.get_channel, range(self._manager.num_channels))
        stats = {c.channel_id: ChannelStats(c.channel_id, c.nic) for c in channels}
        return list((stats | {index: lane.stats for index, lane in self._lanes.items()}).values())

    def release(self) -> None:
        """Stop the channels' threads; what is still in flight is forgotten."""
        self._released = True
        for lane in self._lanes.values():
            lane.stop()
        until_s = time.monotonic() + _JOIN_S
        for lane in self._lanes.values():
            lane.join(max(0.0, until_s - time.monotonic()))

    def _post(
        self,
        mem_id: int,
        offset: int,
        size_bytes: int,
        tag: int,
        chunk: int | None,
        *,
        is_recv: bool,
    ) -> None:
        self._check(mem_id, offset, size_bytes, is_recv=is_recv)
        index = self._next if chunk is None else chunk
        lane = self._lane(self._manager.get_channel_for_chunk(index), is_recv=is_recv)
        self._raise_failure()
        self._next = index + 1
        self._put(lane, Job(index, mem_id, offset, size_bytes, tag))

    def _feed(self, channel: int, jobs: Iterator[Job], count: int, *, is_recv: bool) -> None:
        self._refuse_released()
        self._raise_failure()
        if count:
            self._lane(self._manager.get_channel(channel), is_recv=is_recv).feed(jobs, count)

    def _check(self, mem_id: int, offset: int, size_bytes: int, *, is_recv: bool) -> None:
        self._refuse_released()
        memory = self._manager.memory(mem_id)
        if memory.is_recv != is_recv:
            raise LocalProtocolError(
                f"mem_id {mem_id} is not a {'recv' if is_recv else 'send'} buffer"
            )
        if offset < 0 or size_bytes < 0 or offset + size_bytes > len(memory.array):
            raise LocalProtocolError(
                f"bytes {offset} + {size_bytes} of mem_id {mem_id}",
                expected=f"a piece of its {len(memory.array)} bytes",
            )

    def _refuse_released(self) -> None:
        if self._released:
            raise LocalProtocolError("a post on a released transfer", expected="a new transfer")

    def _lane(self, channel: Channel, *, is_recv: bool) -> Lane:
        if channel.channel_id not in self._lanes:
            self._lanes[channel.channel_id] = Lane(
                self._net,
                self._manager,
                channel,
                is_recv=is_recv,
                limit=self._limits[is_recv],
                on_chunk=self._on_chunk,
                unpack=self._unpack,
                on_idle=self._idle,
                on_failed=self._failed,
            )
        return self._lanes[channel.channel_id]

    def _put(self, lane: Lane, job: Job) -> None:
        until_s = time.monotonic() + self._deadline_s
        while not lane.put(job, _TICK_S):
            self._raise_failure()
            if time.monotonic() > until_s:
                raise self._stall(self._deadline_s)

    def _is_idle(self) -> bool:
        return all(lane.is_idle for lane in self._lanes.values())

    def _idle(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _failed(self, error: Exception) -> None:
        with self._changed:
            self._failures.append(error)
            self._changed.notify_all()

    def _raise_failure(self) -> None:
        if self._failures:
            raise min(self._failures, key=lambda error: isinstance(error, PeerGoneError))

    def _stall(self, limit_s: float) -> StallError:
        """Names every channel that is behind; the one silent for longest is the culprit."""
        behind = [lane for lane in self._lanes.values() if lane.stats.chunks < lane.posted]
        behind.sort(key=lambda lane: lane.stats.last_s)
        now_s = time.monotonic()
        told = ", ".join(_progress(lane, now_s) for lane in behind)
        stall = StallError(
            f"not done after {limit_s:g} s: {told}",
            channel=behind[0].channel.channel_id if behind else -1,
            where=behind[0].channel.nic if behind else "",
            expected=f"{self.total_chunks} chunks, {self.completed_chunks} are done",
        )
        stall.since_s = behind[0].stats.last_s if behind else now_s
        return stall


def _progress(lane: Lane, now_s: float) -> str:
    stats = lane.stats
    silent = f"silent for {now_s - stats.last_s:.1f} s" if stats.last_s else "silent from the start"
    return f"channel {stats.channel} ({stats.nic}) {stats.chunks} of {lane.posted} chunks, {silent}"
