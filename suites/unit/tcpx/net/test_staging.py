"""A device's bytes go out through pinned slots, the last used first."""

from __future__ import annotations

from harness.tcpx.device.buffers import DeviceBuffers
from harness.tcpx.net.plugin import MAX_REQUESTS
from harness.tcpx.net.staging import Staging
from harness.tcpx.payload import Place, expected
from suites.unit.tcpx.device.standin import StandIn

NONCE, PLACE = 5, Place(1, 2, 3)


def test_bytes_are_copied_from_the_moment_they_are_posted() -> None:
    buffers = DeviceBuffers(StandIn(), channels=1, message_bytes=4096)
    memory = buffers.make(10_000, shared=False)
    buffers.fill(memory, NONCE, PLACE)
    staging = Staging(memory, 4096)
    staged = staging.copy(memory, 1000, 3000)
    assert staged.copied.is_down(10.0)
    assert bytes(staged.view) == expected(NONCE, PLACE, 10_000)[1000:4000].tobytes()


def test_a_slot_is_used_again_as_soon_as_it_is_given_back() -> None:
    buffers = DeviceBuffers(StandIn(), channels=1, message_bytes=4096)
    memory = buffers.make(4096, shared=False)
    staging = Staging(memory, 4096)
    first = staging.copy(memory, 0, 8)
    staging.give(first)
    assert staging.copy(memory, 8, 8).slot is first.slot
    held = [staging.copy(memory, 0, 8) for _ in range(MAX_REQUESTS - 1)]
    assert len({one.slot.ctypes.data for one in held} | {first.slot.ctypes.data}) == MAX_REQUESTS


def test_all_slots_are_pinned_at_once_and_let_go_at_once() -> None:
    device = StandIn()
    memory = DeviceBuffers(device, channels=1, message_bytes=64).make(64, shared=False)
    before = list(device.pinned)
    staging = Staging(memory, 64)
    assert len(device.pinned) == len(before) + 1
    copies = [staging.copy(memory, 0, 64).copied for _ in range(MAX_REQUESTS)]
    staging.unpin()
    assert device.pinned == before
    assert all(copied.is_down(0.0) for copied in copies), "and not while the device writes there"
