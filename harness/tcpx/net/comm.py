"""The two kinds of connection and their requests: 16 at most, finished in the order of posting.

Request j of a comm travels on socket j mod n. A comm that has failed stays failed: whatever is
asked of it later gets the same error, so that no `done` can follow a lost peer. Receives are
progressed one at a time, the oldest first, and get their pages only then: data waits in the
kernel's buffer rather than in cold memory. What every message needs makes few calls: their price is
paid with cold caches, right after the message's data went through them.

A device's bytes go out by way of pinned host memory (staging.py), copied from the moment at which
the send is posted; what comes in is left in the bounce buffer, pinned, for the device to fetch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import LocalProtocolError, TransportError
from harness.tcpx.device.silence import refuse_silence
from harness.tcpx.net.bounce import Bounce, Slot
from harness.tcpx.net.plugin import MAX_REQUESTS, Completion, DeviceBuffer
from harness.tcpx.net.staging import Staged, Staging
from harness.tcpx.net.stream import Stream

_NOT_YET = Completion(done=False)  # for every request of every comm


class Mr:
    """A registered buffer of the host."""

    __slots__ = ("array", "size", "view")

    def __init__(self, buffer: Any) -> None:
        self.array: NDArray[np.uint8] = np.frombuffer(buffer, np.uint8)
        self.view = self.array.data
        self.size = self.array.size


class DeviceMr:
    """A registered buffer of a device."""

    __slots__ = ("buffer", "size")

    def __init__(self, buffer: DeviceBuffer) -> None:
        self.buffer, self.size = buffer, len(buffer)


@dataclass(slots=True, eq=False)
class Request:
    """One posted send or receive. `size_bytes` is what was posted, `moved` what was moved."""

    comm: Comm
    number: int
    mr: Mr | DeviceMr
    offset: int
    size_bytes: int
    tag: int
    moved: int = -1
    slot: Slot | None = None
    staged: Staged | None = None


class Comm:
    """What both kinds share: the sockets, the queue, and the first failure."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        self.streams = streams
        self._queue: deque[Request] = deque()
        self._done: deque[Request] = deque()  # and not consumed: receives only
        self._posted = 0
        self._failed: TransportError | None = None
        self._undo: list[Callable[[], None]] = []

    def post(self, mr: Mr | DeviceMr, offset: int, size_bytes: int, tag: int) -> Request:
        if self._failed:
            raise self._failed
        if len(self._queue) + len(self._done) >= MAX_REQUESTS:
            raise LocalProtocolError(
                "unable to allocate requests",
                expected=f"at most {MAX_REQUESTS} requests in flight",
                fix="Check the window's room before posting",
            )
        if not 0 <= offset <= offset + size_bytes <= mr.size:
            raise LocalProtocolError(
                f"bytes {offset} + {size_bytes}",
                expected=f"a piece of the {mr.size} bytes that are registered",
            )
        request = Request(self, self._posted, mr, offset, size_bytes, tag)
        self._posted += 1
        self._queue.append(request)
        return request

    def test(self, request: Request) -> Completion:
        if self._failed:
            raise self._failed
        if not self._queue or self._queue[0] is not request:
            raise LocalProtocolError(
                f"test called with invalid request {request.number}",
                expected="the oldest request that is not done",
            )
        if request.moved < 0:
            self._go_on(None)
            if request.moved < 0:
                return _NOT_YET
        self._queue.popleft()
        return self._complete(request)

    def wait(self, timeout_s: float) -> None:
        if self._failed:
            raise self._failed
        if self._queue and self._queue[0].moved < 0:
            self._go_on(timeout_s)

    def serve(self, buffer: DeviceBuffer) -> None:
        """Make ready for a device's memory; once is enough for all of a device's buffers."""
        raise NotImplementedError

    def close(self) -> None:
        for stream in self.streams:
            stream.close()
        while self._undo:
            self._undo.pop()()
        self._failed = self._failed or LocalProtocolError("the connection is closed on our side")

    def _go_on(self, timeout_s: float | None) -> None:
        """Progress; the comm's first failure is its last word."""
        try:
            self._progress(timeout_s)
        except TransportError as error:
            self._failed = error
            raise

    def _progress(self, timeout_s: float | None) -> None:
        """Go on with the oldest request for a time, or (None) with all that need no waiting."""
        raise NotImplementedError

    def _complete(self, request: Request) -> Completion:
        raise NotImplementedError


class SendComm(Comm):
    """Sends; a request's place is free again when `test` has said done."""

    def __init__(self, streams: Sequence[Stream], message_bytes: int) -> None:
        super().__init__(streams)
        self._message_bytes = message_bytes
        self._staging: Staging | None = None

    def serve(self, buffer: DeviceBuffer) -> None:
        if self._staging is None:
            self._staging = Staging(buffer, self._message_bytes)
            self._undo.append(self._staging.unpin)

    def post(self, mr: Mr | DeviceMr, offset: int, size_bytes: int, tag: int) -> Request:
        request = super().post(mr, offset, size_bytes, tag)
        if isinstance(mr, DeviceMr):
            assert self._staging is not None
            request.staged = self._staging.copy(mr.buffer, offset, size_bytes)
        return request

    def _progress(self, timeout_s: float | None) -> None:
        if timeout_s is None:
            self._send_what_fits()
        else:
            self._move(self._queue[0], timeout_s)

    def _send_what_fits(self) -> None:
        """On every socket, each in its order."""
        stuck: set[int] = set()  # sockets that take no more
        for request in self._queue:
            socket = request.number % len(self.streams)
            if request.moved < 0 and socket not in stuck and not self._move(request, None):
                stuck.add(socket)
                if len(stuck) == len(self.streams):
                    return

    def _move(self, request: Request, timeout_s: float | None) -> bool:
        stream = self.streams[request.number % len(self.streams)]
        mr, staged = request.mr, request.staged
        if staged is None:
            assert isinstance(mr, Mr)
            payload = mr.view[request.offset : request.offset + request.size_bytes]
        elif staged.copied.is_down(timeout_s or 0.0):
            payload = staged.view
        else:
            refuse_silence(staged.since_s)
            return False
        if stream.send(request.number, payload, request.tag, timeout_s):
            request.moved = request.size_bytes
        return request.moved >= 0

    def _complete(self, request: Request) -> Completion:
        if request.staged is not None and self._staging is not None:
            self._staging.give(request.staged)
        return Completion(True, request.moved)


class RecvComm(Comm):
    """Receives into the bounce buffer; pages come back only by `consumed`, in order."""

    def __init__(self, streams: Sequence[Stream], message_bytes: int, seed: int) -> None:
        super().__init__(streams)
        self._message_bytes, self._seed = message_bytes, seed
        self._bounce = Bounce(message_bytes, seed)

    def serve(self, buffer: DeviceBuffer) -> None:
        if not self._undo:
            self._bounce = Bounce(self._message_bytes, self._seed, shared=True)
            self._undo.append(buffer.pin(self._bounce.array))

    def post(self, mr: Mr | DeviceMr, offset: int, size_bytes: int, tag: int) -> Request:
        if size_bytes > self._message_bytes:
            raise LocalProtocolError(
                f"a receive of {size_bytes} bytes", expected=f"at most {self._message_bytes}"
            )
        return super().post(mr, offset, size_bytes, tag)

    def consumed(self, request: Request) -> None:
        """The message has been unpacked: its pages may be used again."""
        if not self._done or self._done[0] is not request or request.slot is None:
            raise LocalProtocolError(
                f"irecv_consumed called with invalid request {request.number}",
                expected="the oldest receive that is done and not consumed",
            )
        self._done.popleft()
        self._bounce.give(request.slot)
        request.slot = None

    def _progress(self, timeout_s: float | None) -> None:
        request = self._queue[0]
        slot = request.slot = request.slot or self._bounce.take()
        stream = self.streams[request.number % len(self.streams)]
        request.moved = stream.receive(request.number, slot, request.size_bytes, timeout_s)

    def _complete(self, request: Request) -> Completion:
        self._done.append(request)
        assert request.slot is not None
        descriptors = request.slot.descriptors(request.moved)
        return Completion(True, request.moved, descriptors, self._bounce.array)
