"""One thread serves all rings: in sequence, many at a time, and a failure reaches everybody."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.errors import CudaError
from harness.tcpx.device.orders import FILL, OUTCOME, POISON, READ, Orders
from harness.tcpx.device.service import Service


class Recorder:
    """Remembers what it was asked for, batch by batch, and when it was waited for."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    def allocate(self, size_bytes: int) -> int:
        return 0

    def pin(self, array: NDArray[np.uint8]) -> Any:
        return lambda: None

    def share(self, address: int) -> tuple[bytes, int]:
        raise NotImplementedError

    def adopt(self, handle: bytes, offset: int) -> Any:
        raise NotImplementedError

    def begin(self, orders: NDArray[Any]) -> Any:
        self.said.append([(int(o["op"]), int(o["address"])) for o in orders])
        return Batch(self, orders)


class Batch:
    def __init__(self, device: Recorder, orders: NDArray[Any]) -> None:
        self.device, self.orders = device, orders

    def outcomes(self) -> NDArray[Any]:
        self.device.said.append(len(self.orders))
        found = np.zeros(len(self.orders), OUTCOME)
        found["words"] = self.orders["address"]
        return found


@pytest.fixture
def orders() -> Orders:
    return Orders(threads=3, pieces=1)


@pytest.fixture
def device() -> Recorder:
    return Recorder()


def test_a_ring_is_served_in_sequence_one_kind_at_a_time(orders: Orders, device: Recorder) -> None:
    service = Service(device, orders)
    for op, address in ((FILL, 1), (FILL, 2), (READ, 3), (FILL, 4)):
        orders.mine.give(op, address, 8)
    while service.turn():
        pass
    asked = [what for what in device.said if isinstance(what, list)]
    assert asked == [[(FILL, 1), (FILL, 2)], [(READ, 3)], [(FILL, 4)]]
    assert orders.done[0] == 4


def test_orders_of_all_rings_go_together(orders: Orders, device: Recorder) -> None:
    for address in (10, 20, 30):
        thread = threading.Thread(target=lambda at=address: orders.mine.give(POISON, at, 8))
        thread.start()
        thread.join()
    service = Service(device, orders)
    service.turn()
    assert device.said == [[(POISON, 10), (POISON, 20), (POISON, 30)]]
    service.turn()
    assert orders.outcomes["words"][:, 0].tolist() == [10, 20, 30], "each got its own outcome"


def test_the_next_batch_is_begun_before_the_last_is_waited_for(
    orders: Orders, device: Recorder
) -> None:
    service = Service(device, orders)
    orders.mine.give(FILL, 1, 8)
    service.turn()
    assert orders.done[0] == 0, "nothing is said before it is done"
    orders.mine.give(FILL, 2, 8)
    service.turn()
    assert device.said == [[(FILL, 1)], [(FILL, 2)], 1]
    assert orders.done[0] == 1


def test_a_device_that_fails_fails_all_who_wait(orders: Orders, device: Recorder) -> None:
    def lost(asked: NDArray[Any]) -> Any:
        raise CudaError("an illegal address was encountered")

    device.begin = lost  # type: ignore[method-assign]
    service = Service(device, orders)
    ticket = orders.mine.give(FILL, 1, 8)
    service.start()
    with pytest.raises(CudaError, match="CUDA: an illegal address"):
        ticket.is_down(10.0)
    service.join(10.0)
    assert not service.is_alive()


def test_a_service_that_is_not_needed_any_more_ends(orders: Orders, device: Recorder) -> None:
    service = Service(device, orders)
    service.start()
    service.stop()
    service.join(10.0)
    assert not service.is_alive()
