"""The bounce buffer: scattered slots, the warmest first."""

from __future__ import annotations

import numpy as np
import pytest

from harness.tcpx.net.bounce import Bounce
from harness.tcpx.net.plugin import MAX_REQUESTS, PAGE_BYTES


@pytest.mark.parametrize("pages", [1, 2, 3, 4, 128, 2048])
def test_no_two_pages_of_a_message_are_neighbours(pages: int) -> None:
    slot = Bounce(pages * PAGE_BYTES, seed=7).take()
    steps = np.diff(slot.descriptors(pages * PAGE_BYTES)["src_off"].astype(np.int64))
    assert not (steps == PAGE_BYTES).any()


def test_the_slot_given_back_last_is_taken_first() -> None:
    bounce = Bounce(3 * PAGE_BYTES, seed=0)
    first, second = bounce.take(), bounce.take()
    bounce.give(second)
    bounce.give(first)
    assert bounce.take() is first
    assert bounce.take() is second


def test_sixteen_slots_share_no_page() -> None:
    bounce = Bounce(5 * PAGE_BYTES, seed=0)
    slots = [bounce.take() for _ in range(MAX_REQUESTS)]
    starts = np.concatenate([slot.descriptors(5 * PAGE_BYTES)["src_off"] for slot in slots])
    assert len(np.unique(starts)) == MAX_REQUESTS * 5
    assert starts.max() + PAGE_BYTES == bounce.array.size


@pytest.mark.parametrize("size", [0, 1, PAGE_BYTES, PAGE_BYTES + 1, 3 * PAGE_BYTES])
def test_descriptors_say_where_the_views_lie(size: int) -> None:
    bounce = Bounce(3 * PAGE_BYTES, seed=1)
    slot = bounce.take()
    data = np.random.default_rng(0).integers(0, 256, size, np.uint8).tobytes()
    at = 0
    for view in slot.views(size):
        view[:] = data[at : at + len(view)]
        at += len(view)
    pieces = slot.descriptors(size).tolist()
    assert b"".join(bounce.array[s : s + n].tobytes() for s, n, _ in pieces) == data
    assert [place for _, _, place in pieces] == list(range(0, size, PAGE_BYTES))
    assert slot.read(0, size) == data
    for start in range(0, size, 1000):
        assert b"".join(slot.views(size, start)) == data[start:]
    assert slot.read(size // 2, size) == data[size // 2 :]
