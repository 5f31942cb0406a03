"""The sliding window of one comm: what is in flight, oldest first, and never more than the limit.

Room is checked before a request is posted: the plugin's pool is 16 requests a comm, and the 17th is
an error rather than a wait. A receive leaves the window only after its data has been handed on
(`on_done`: unpack, verify) and `irecv_consumed` has given its pages back. A device moves data while
the next receives are under way: `on_done` then answers with a Landing, and only when that is down
is the receive consumed, still in order.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from harness.errors import LocalProtocolError, StallError
from harness.tcpx.device.silence import refuse_silence
from harness.tcpx.net.plugin import MAX_REQUESTS, Completion, Landing, NetPlugin

RECV_LIMIT = MAX_REQUESTS
SEND_LIMIT = 12  # leaves the sender room for retries, as the transport's authors found

OnDone = Callable[[Any, Completion], Landing | None]
OnDown = Callable[[Any, Completion, Landing], None]


class _Descent(NamedTuple):
    """A receive whose pages a device still reads."""

    request: Any
    chunk: Any
    completion: Completion
    landing: Landing
    since_s: float


class SlidingWindow:
    """Requests of one comm with what the caller knows them by (`chunk`)."""

    def __init__(
        self,
        net: NetPlugin,
        comm: Any,
        limit: int,
        *,
        is_recv: bool,
        on_done: OnDone | None = None,
        on_down: OnDown | None = None,
    ) -> None:
        if not 1 <= limit <= MAX_REQUESTS:
            raise LocalProtocolError(f"a window of {limit}", expected=f"1..{MAX_REQUESTS}")
        self.limit = limit
        self._net, self._comm, self._is_recv = net, comm, is_recv
        self._on_done, self._on_down = on_done, on_down
        self._pending: deque[tuple[Any, Any]] = deque()
        self._landing: deque[_Descent] = deque()  # older than all that are pending

    def is_full(self) -> bool:
        return self.size() >= self.limit

    def size(self) -> int:
        return len(self._pending) + len(self._landing)

    @property
    def oldest(self) -> Any:
        """What the oldest request is known by; None when nothing is in flight."""
        if self._landing:
            return self._landing[0].chunk
        return self._pending[0][1] if self._pending else None

    def add_request(self, request: Any, chunk: Any) -> None:
        if self.size() >= self.limit:
            raise LocalProtocolError(
                f"a request beyond the window of {self.limit}",
                expected="room in the window",
                fix="Ask is_full before posting",
            )
        self._pending.append((request, chunk))

    def try_release_oldest(self) -> bool:
        """Let go of the oldest request if it is done; never waits."""
        if self._landing and self._settle(0.0):
            return True
        if not self._pending:
            return False
        request, chunk = self._pending[0]
        completion = self._net.test(request)
        if not completion.done:
            return False
        landing = self._on_done(chunk, completion) if self._on_done else None
        if landing is not None:
            descent = _Descent(request, chunk, completion, landing, time.monotonic())
            self._landing.append(descent)
            self._pending.popleft()
            return self._settle(0.0)
        if self._is_recv:
            self._net.irecv_consumed(self._comm, request)
        self._pending.popleft()
        return True

    def wait_and_release_oldest(self, timeout_s: float) -> bool:
        """Let go of the oldest request as soon as it is done; False if time ran out."""
        left_s, until_s = timeout_s, time.monotonic() + timeout_s
        while self._pending or self._landing:
            if self._landing and self._settle(0.0 if self._pending else left_s):
                return True
            if self._pending:
                self._net.wait(self._comm, left_s)  # at first the same for every request: cheap
            if self.try_release_oldest():
                return True
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                break
        return False

    def drain_all(self, timeout_s: float) -> None:
        """Let go of every request, in order."""
        until_s = time.monotonic() + timeout_s
        while self.size():
            if not self.wait_and_release_oldest(max(0.0, until_s - time.monotonic())):
                raise StallError(
                    f"{self.size()} requests are not done after {timeout_s:g} s", expected="none"
                )

    def clear(self) -> None:
        """Forget all requests without waiting for them."""
        self._pending.clear()
        self._landing.clear()

    def _settle(self, timeout_s: float) -> bool:
        """Consume the oldest landing, if it is down in time."""
        request, chunk, completion, landing, since_s = self._landing[0]
        if not landing.is_down(timeout_s):
            refuse_silence(since_s)
            return False
        if self._on_down:
            self._on_down(chunk, completion, landing)
        self._net.irecv_consumed(self._comm, request)
        self._landing.popleft()
        return True
