"""The window holds its limit, lets go in order, and never waits for ever."""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import LocalProtocolError, StallError
from harness.tcpx.net.plugin import Completion
from harness.tcpx.sliding_window import RECV_LIMIT, SEND_LIMIT, SlidingWindow
from suites.unit.tcpx.ends import Ends, connected

SIZE = 1000


class Side:
    """Channel 0 of one end, with memory to post from or into."""

    def __init__(self, ends: Ends, *, is_recv: bool) -> None:
        session = ends.server if is_recv else ends.client
        self.net, self.is_recv = session.net, is_recv
        self.comm = session.manager.get_channel(0).comm
        mem_id = session.register_memory(bytearray(SIZE), is_recv=is_recv)
        self.mr = session.get_memory_handle(mem_id)

    def window(self, limit: int, on_done: Any = None) -> SlidingWindow:
        return SlidingWindow(self.net, self.comm, limit, is_recv=self.is_recv, on_done=on_done)

    def post(self) -> Any:
        verb = self.net.irecv if self.is_recv else self.net.isend
        return verb(self.comm, self.mr, 0, SIZE, 0)

    def fill(self, window: SlidingWindow) -> None:
        while not window.is_full():
            window.add_request(self.post(), window.size())


@pytest.fixture
def sides() -> Any:
    with connected(channels=1) as ends:
        yield Side(ends, is_recv=True), Side(ends, is_recv=False)


def test_the_limits_are_16_and_12() -> None:
    assert (RECV_LIMIT, SEND_LIMIT) == (16, 12)


@pytest.mark.parametrize("limit", [1, 12, 16])
def test_a_window_holds_its_limit_and_no_more(sides: tuple[Side, Side], limit: int) -> None:
    window = sides[0].window(limit)
    sides[0].fill(window)
    assert window.size() == limit
    with pytest.raises(LocalProtocolError, match=f"beyond the window of {limit}"):
        window.add_request(object(), limit)
    assert window.size() == limit


@pytest.mark.parametrize("limit", [0, 17])
def test_a_limit_that_the_plugin_cannot_hold_is_refused(
    sides: tuple[Side, Side], limit: int
) -> None:
    with pytest.raises(LocalProtocolError, match=f"a window of {limit}"):
        sides[0].window(limit)


def test_nothing_is_released_before_it_is_done(sides: tuple[Side, Side]) -> None:
    window = sides[0].window(16)
    assert window.oldest is None
    assert not window.try_release_oldest(), "nothing is in flight"
    window.add_request(sides[0].post(), "a")
    assert not window.try_release_oldest()
    assert not window.wait_and_release_oldest(0.01)
    assert (window.size(), window.oldest) == (1, "a")


def test_requests_are_released_in_order_and_consumed(sides: tuple[Side, Side]) -> None:
    recv, send = sides
    done: list[tuple[int, int]] = []

    def note(chunk: int, completion: Completion) -> None:
        done.append((chunk, completion.size_bytes))

    incoming, outgoing = recv.window(16, note), send.window(12)
    for _ in range(3):  # three times the pool: only what is consumed can be posted again
        recv.fill(incoming)
        send.fill(outgoing)
        outgoing.drain_all(5.0)
        for _ in range(12):
            assert incoming.wait_and_release_oldest(5.0)
    assert [size for _, size in done] == [SIZE] * 36
    assert incoming.size() == 4


def test_draining_a_silent_peer_ends_in_a_stall(sides: tuple[Side, Side]) -> None:
    window = sides[0].window(3)
    sides[0].fill(window)
    with pytest.raises(StallError, match="3 requests are not done"):
        window.drain_all(0.02)


def test_a_cleared_window_is_empty(sides: tuple[Side, Side]) -> None:
    window = sides[0].window(16)
    sides[0].fill(window)
    window.clear()
    assert (window.size(), window.is_full()) == (0, False)


class Slow:
    """A landing that is down when the test says so."""

    def __init__(self) -> None:
        self.down = False

    def is_down(self, timeout_s: float) -> bool:
        return self.down


class Runway:
    """A receiving window whose chunks land on a device."""

    def __init__(self, sides: tuple[Side, Side]) -> None:
        self.recv, self.send = sides
        self.landings: list[Slow] = []
        self.down: list[int] = []
        self.window = SlidingWindow(
            self.recv.net,
            self.recv.comm,
            16,
            is_recv=True,
            on_done=self._done,
            on_down=lambda chunk, completion, landing: self.down.append(chunk),
        )

    def _done(self, chunk: int, completion: Completion) -> Slow:
        self.landings.append(Slow())
        return self.landings[-1]

    def arrive(self, count: int) -> None:
        outgoing = self.send.window(12)
        for _ in range(count):
            outgoing.add_request(self.send.post(), None)
        outgoing.drain_all(5.0)


def test_a_receive_is_consumed_only_when_it_has_landed(sides: tuple[Side, Side]) -> None:
    runway = Runway(sides)
    window = runway.window
    runway.recv.fill(window)
    runway.arrive(2)
    assert not window.wait_and_release_oldest(0.05)
    assert len(runway.landings) == 2, "the second chunk does not wait for the first to land"
    assert (window.size(), window.is_full(), window.oldest) == (16, True, 0)
    with pytest.raises(LocalProtocolError, match="unable to allocate requests"):
        runway.recv.post()
    runway.landings[1].down = True
    assert not window.try_release_oldest(), "the first is still in the air, and order is kept"
    runway.landings[0].down = True
    assert window.try_release_oldest()
    assert window.wait_and_release_oldest(1.0)
    assert (runway.down, window.size(), window.oldest) == ([0, 1], 14, 2)
    runway.recv.post()


def test_a_landing_that_never_ends_is_a_stall(sides: tuple[Side, Side]) -> None:
    runway = Runway(sides)
    runway.window.add_request(runway.recv.post(), 0)
    runway.arrive(1)
    with pytest.raises(StallError, match="1 requests are not done"):
        runway.window.drain_all(0.05)
    runway.window.clear()
    assert (runway.window.size(), runway.window.oldest) == (0, None)
