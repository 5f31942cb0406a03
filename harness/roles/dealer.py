"""The dealer: hands the chunks of a transfer, in order, to whichever channel has room for one.

It is the least-loaded distribution, and it is the receiver's: a channel draws its next chunk when
its window has room, so a channel whose NIC is twice as fast draws twice as often, and nobody has to
estimate anybody's speed. Every draw is granted to the client before the next one is made. A chunk
is dealt again for the next iteration only after it was received and checked in this one: until then
the client may not fill it, nor anything be received over it, and the two may be on two channels.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

from harness.plan import Plan

Grant = Callable[[int, int], None]  # channel, tag
_OVER = -1  # all chunks are dealt


class Dealer:
    """Deals tags 0, 1, 2, ... to channels; asked by all channels' threads."""

    def __init__(self, plan: Plan, grant: Grant, left_s: Callable[[], float]) -> None:
        self._chunks, self._total = plan.chunks, plan.chunks * plan.iterations
        self._grant, self._left_s = grant, left_s
        self._carriers = bytearray()  # by tag; as long as there were draws
        self._under_way: dict[int, int] = {}  # tag -> channel
        self._changed = threading.Condition()

    def draws(self, channel: int) -> Iterator[int | None]:
        """The tags of all chunks that `channel` will carry, each drawn when it is asked for. None:
        there is none now, but the channel has others under way; without, the asker waits."""
        return iter(partial(self._draw, channel), _OVER)

    def received(self, tag: int) -> None:
        """A chunk is in its place and was looked at."""
        with self._changed:
            del self._under_way[tag]
            self._changed.notify_all()

    def carrier(self, tag: int) -> int:
        """The channel that carried the chunk; -1 if it was never dealt."""
        return self._carriers[tag] if 0 <= tag < len(self._carriers) else -1

    def _draw(self, channel: int) -> int | None:
        with self._changed:
            if channel not in self._under_way.values():
                self._changed.wait_for(lambda: self._is_over or self._is_free, self._left_s())
            if self._is_over:
                return _OVER
            return self._deal(channel) if self._is_free else None

    def _deal(self, channel: int) -> int:
        tag = len(self._carriers)
        self._carriers.append(channel)
        self._under_way[tag] = channel
        if len(self._carriers) == self._total:
            self._changed.notify_all()  # to those who wait for one more
        self._grant(channel, tag)
        return tag

    @property
    def _is_over(self) -> bool:
        return len(self._carriers) == self._total

    @property
    def _is_free(self) -> bool:
        """Whether the next chunk is out of the previous iteration's hands."""
        return len(self._carriers) - self._chunks not in self._under_way
