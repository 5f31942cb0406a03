"""Orders reach the device in sequence, from every thread and process; whoever waits is told."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
import pytest

from harness.errors import CudaError, LocalProtocolError
from harness.tcpx.device.orders import FILL, POISON, RING, Orders
from harness.tcpx.unpack.descriptor import DTYPE


def carry_out(orders: Orders, ring: int, count: int) -> None:
    orders.done[ring] += count


def test_an_order_is_done_when_the_device_has_said_so() -> None:
    orders = Orders(threads=2, pieces=1)
    ticket = orders.mine.give(FILL, 4096, 8, base=7)
    assert not ticket.is_down(0.001)
    order = orders.orders[0, 0]
    assert (order["op"], order["address"], order["size"], order["base"]) == (FILL, 4096, 8, 7)
    carry_out(orders, 0, 1)
    assert ticket.is_down(0.0)
    assert orders.mine.last == ticket


def test_each_thread_has_a_ring_and_no_more_threads_than_rings() -> None:
    orders = Orders(threads=2, pieces=1)
    rings: list[int] = []
    refused: list[LocalProtocolError] = []

    def work() -> None:
        try:
            rings.append(orders.mine.index)
            assert orders.mine.index == rings[-1]
        except LocalProtocolError as error:
            refused.append(error)

    for _ in range(3):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert rings == [0, 1]
    assert "thread 3 wants the device; expected at most 2" in str(refused[0])


def test_what_is_forked_takes_a_ring_of_its_own() -> None:
    orders = Orders(threads=2, pieces=1)
    mine = orders.mine.index
    if not (pid := os.fork()):
        os._exit(orders.mine.index)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1 != mine
    assert orders.mine.index == mine


def test_a_full_ring_waits_for_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.tcpx.device.orders.PATIENCE_S", 0.01)
    orders = Orders(threads=1, pieces=1)
    for _ in range(RING):
        orders.mine.give(POISON, 0, 1)
    with pytest.raises(CudaError, match="the device did nothing for"):
        orders.mine.give(POISON, 0, 1)
    carry_out(orders, 0, 1)
    assert orders.mine.give(POISON, 0, 1).number == RING + 1


def test_the_outcome_of_an_order_is_kept_for_a_ring_of_orders() -> None:
    orders = Orders(threads=1, pieces=1)
    first = orders.mine.give(POISON, 0, 1)
    with pytest.raises(LocalProtocolError, match="the outcome of order 1"):
        _ = first.outcome
    orders.outcomes[0, 0]["words"] = 5
    carry_out(orders, 0, 1)
    assert first.outcome.words == 5
    for _ in range(RING):
        orders.mine.give(POISON, 0, 1)
    with pytest.raises(LocalProtocolError, match=f"one of the last {RING}"):
        _ = first.outcome


def test_all_who_wait_hear_what_failed() -> None:
    orders = Orders(threads=1, pieces=1)
    ticket = orders.mine.give(POISON, 0, 1)
    orders.fail("CUDA: the device is lost")
    with pytest.raises(CudaError, match="the device is lost"):
        ticket.is_down(1.0)


def test_descriptors_lie_beside_their_order() -> None:
    orders = Orders(threads=1, pieces=3)
    pieces = np.zeros(2, orders.pieces.dtype)
    pieces["len"] = (10, 20)
    ring: Any = orders.mine
    ring.unpack(pieces.tobytes(), (5, 35), 0, 1 << 40, 4096, 30, None)
    order = orders.orders[0, 0]
    assert orders.pieces[0, 0]["len"].tolist() == [10, 20, 0]
    assert order["descriptors"] == orders.pieces[0, 0].ctypes.data
    assert (order["count"], order["verify"], order["begin"], order["end"]) == (2, 0, 5, 35)


def test_more_descriptors_than_a_place_has_room_for_are_refused_before_they_are_written() -> None:
    """The next place may hold an order that the device has still to read."""
    orders = Orders(threads=1, pieces=2)
    with pytest.raises(LocalProtocolError, match="a message in 3 pieces; expected at most 2"):
        orders.mine.unpack(b"\1" * 3 * DTYPE.itemsize, (0, 30), 0, 1 << 40, 4096, 30, None)
    assert not orders.pieces[0].view(np.uint8).any()
    assert orders.mine.last.number == 0


def test_draining_waits_for_what_was_ordered_and_for_no_more() -> None:
    orders = Orders(threads=1, pieces=1)
    orders.drain(0.0)
    orders.mine.give(POISON, 0, 1)
    with pytest.raises(CudaError, match="has not done what was ordered"):
        orders.drain(0.01)
    carry_out(orders, 0, 1)
    orders.drain(0.0)
    orders.mine.give(POISON, 0, 1)
    orders.fail("the device is lost")
    orders.drain(10.0)


def test_one_row_is_packed_as_many_are_read() -> None:
    orders = Orders(threads=2, pieces=1)
    for _ in range(2):  # the second thread's second order: neither the first ring nor its first row
        orders.mine.give(FILL, 4096, 8, base=7)
    thread = threading.Thread(target=lambda: [orders.mine.give(POISON, 9, n) for n in (1, 2)])
    thread.start()
    thread.join()
    rows = orders.orders[:, :2]
    assert rows["address"].tolist() == [[4096, 4096], [9, 9]]
    assert rows["size"].tolist() == [[8, 8], [1, 2]]
    orders.outcomes[0, 1] = (1, 2, 3, 4, 5)
    carry_out(orders, 0, 2)
    assert orders.mine.last.outcome == (1, 2, 3, 4, 5)
