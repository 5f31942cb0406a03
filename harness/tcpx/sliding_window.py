"""The sliding window of one comm: what is in flight, oldest first, and never more than the limit.

Room is checked before a request is posted: the plugin's pool is 16 requests a comm, and the 17th is
an error rather than a wait. A receive leaves the window only after its data has been handed on
(`on_done`: unpack, verify) and `irecv_consumed` has given its pages back.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from harness.errors import LocalProtocolError, StallError
from harness.tcpx.net.plugin import MAX_REQUESTS, Completion, NetPlugin

RECV_LIMIT = MAX_REQUESTS
SEND_LIMIT = 12  # leaves the sender room for retries, as the transport's authors found

OnDone = Callable[[Any, Completion], None]


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
    ) -> None:
        if not 1 <= limit <= MAX_REQUESTS:
            raise LocalProtocolError(f"a window of {limit}", expected=f"1..{MAX_REQUESTS}")
        self.limit = limit
        self._net, self._comm, self._is_recv, self._on_done = net, comm, is_recv, on_done
        self._pending: deque[tuple[Any, Any]] = deque()

    def is_full(self) -> bool:
        return len(self._pending) >= self.limit

    def size(self) -> int:
        return len(self._pending)

    @property
    def oldest(self) -> Any:
        """What the oldest request is known by; None when nothing is in flight."""
        return self._pending[0][1] if self._pending else None

    def add_request(self, request: Any, chunk: Any) -> None:
        if len(self._pending) >= self.limit:
            raise LocalProtocolError(
                f"a request beyond the window of {self.limit}",
                expected="room in the window",
                fix="Ask is_full before posting",
            )
        self._pending.append((request, chunk))

    def try_release_oldest(self) -> bool:
        """Let go of the oldest request if it is done; never waits."""
        if not self._pending:
            return False
        request, chunk = self._pending[0]
        completion = self._net.test(request)
        if not completion.done:
            return False
        if self._on_done:
            self._on_done(chunk, completion)
        if self._is_recv:
            self._net.irecv_consumed(self._comm, request)
        self._pending.popleft()
        return True

    def wait_and_release_oldest(self, timeout_s: float) -> bool:
        """Let go of the oldest request as soon as it is done; False if time ran out."""
        left_s, until_s = timeout_s, time.monotonic() + timeout_s
        while self._pending:
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
        while self._pending:
            if not self.wait_and_release_oldest(max(0.0, until_s - time.monotonic())):
                raise StallError(
                    f"{self.size()} requests are not done after {timeout_s:g} s", expected="none"
                )

    def clear(self) -> None:
        """Forget all requests without waiting for them."""
        self._pending.clear()
