"""Slots are given out 16 at a time, guarded, and described as what lies in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.errors import RemoteProtocolError
from harness.tcpx.memory import host_buffer
from harness.tcpx.net.comm import Comm, Mr, Request
from harness.tcpx.net.nccl_net.target import SLOTS_MR, Slots
from harness.tcpx.unpack import unpack

SIZE = 5000


class Registered:
    """Stands in for the line to a plugin that registers the slots."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def call(self, verb: str, **body: Any) -> None:
        self.asked = {"verb": verb, **body}


def request(number: int, size: int = SIZE) -> Request:
    return Request(Comm(()), number, Mr(host_buffer(size or 1)), 0, size, 0)


@pytest.fixture
def slots() -> Slots:
    line: Any = Registered()
    made = Slots(line, SIZE)
    assert (line.asked["verb"], line.asked["mr"]) == ("regMr", SLOTS_MR)
    assert line.asked["size"] == made.bounce.size
    return made


def test_sixteen_messages_have_a_slot_each(slots: Slots) -> None:
    requests = [request(number) for number in range(16)]
    starts = [slots.place(one)[1] for one in requests]
    ends = [start + SIZE for start in starts]
    assert all(end <= start for end, start in zip(sorted(ends), sorted(starts)[1:], strict=False))
    slots.free(requests[3])
    assert slots.place(request(16))[1] == starts[3], "the slot used last is used next"


@pytest.mark.parametrize("size", [0, 1, 4096, 4097, SIZE])
def test_a_message_is_unpacked_from_its_slot(slots: Slots, size: int) -> None:
    one = request(0, size)
    _, start = slots.place(one)
    data = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    slots.bounce[start : start + size] = data
    out = np.empty(size, np.uint8)
    unpack(slots.arrived(one, b""), slots.bounce, out)
    assert np.array_equal(out, data)


@pytest.mark.parametrize("beyond", [0, 1, 4095])
def test_a_byte_behind_the_message_is_an_overrun(slots: Slots, beyond: int) -> None:
    one = request(0)
    _, start = slots.place(one)
    slots.bounce[start + SIZE + beyond] ^= 1
    with pytest.raises(RemoteProtocolError, match=f"more than was posted into a receive of {SIZE}"):
        slots.arrived(one, b"")
