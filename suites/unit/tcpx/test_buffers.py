"""Every kind of memory does the same for a role; what a device does later is waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from harness.errors import CudaError, PeerGoneError
from harness.tcpx.buffers import Buffers, HostBuffers
from harness.tcpx.cuda.device import cuda_buffers
from harness.tcpx.device.buffers import DeviceBuffers
from harness.tcpx.memory import host_buffer
from harness.tcpx.net.bounce import Bounce
from harness.tcpx.net.plugin import PTR_HOST
from harness.tcpx.payload import Place, expected
from suites.unit.tcpx.device.standin import StandIn, device_buffers
from suites.unit.tcpx.ends import both, connected

KINDS = {
    "host": HostBuffers,
    "device": device_buffers,
    "cuda": lambda: cuda_buffers(0, channels=4, message_bytes=1 << 20),
}
NONCE, PLACE = 11, Place(3, 1, 5)
SIZES = [1, 8, 4096, 4097, 300_003]


@pytest.fixture(params=["host", "device", pytest.param("cuda", marks=pytest.mark.gpu)])
def buffers(request: pytest.FixtureRequest) -> Buffers:
    return KINDS[request.param]()


class Arrival:
    """One message in bounce pages that the memory can reach, and its place."""

    def __init__(self, buffers: Buffers, size: int) -> None:
        self.buffers, self.size = buffers, size
        self.view = buffers.make(size, shared=False)
        self._pages = Bounce(size, seed=7, shared=True)
        self._slot = self._pages.take()
        self._unpin = (
            self.view.pin(self._pages.array) if buffers.ptr_type != PTR_HOST else (lambda: None)
        )
        self.intake = buffers.intake(size)

    def write(self, data: Any) -> None:
        at = 0
        for view in self._slot.views(self.size):
            view[:] = data[at : at + len(view)].data
            at += len(view)

    def land(self, descriptors: Any = None) -> Any:
        """Unpack, wait, and what the memory says was wrong."""
        if descriptors is None:
            descriptors = self._slot.descriptors(self.size)
        landing = self.intake.unpack(descriptors, self._pages.array, self.view, NONCE, PLACE)
        assert landing is None or landing.is_down(10.0)
        return self.intake.check(landing, self.view, NONCE, PLACE)

    def close(self) -> None:
        self._unpin()


@pytest.fixture
def arrival(buffers: Buffers) -> Iterator[Any]:
    made: list[Arrival] = []

    def arrive(size: int) -> Arrival:
        made.append(Arrival(buffers, size))
        return made[-1]

    yield arrive
    for one in made:
        one.close()


@pytest.mark.parametrize("size", SIZES)
def test_what_was_filled_is_right_and_counted(buffers: Buffers, size: int) -> None:
    view, intake = buffers.make(size, shared=False), buffers.intake(size)
    buffers.fill(view, NONCE, PLACE)
    assert intake.check(None, view, NONCE, PLACE) is None
    assert (intake.words, intake.bytes) == (-(-size // 8), size)


def test_a_new_buffer_is_poisoned_and_can_be_again(buffers: Buffers) -> None:
    view, intake = buffers.make(4096, shared=False), buffers.intake(4096)
    for _ in range(50):  # more orders than a device's ring holds
        finding = intake.check(None, view, NONCE, PLACE)
        assert finding is not None
        assert (finding.kind, finding.words_wrong) == ("MISSING", 512)
        buffers.fill(view, NONCE, PLACE)
        buffers.poison(view)
    assert intake.words == 0, "what is wrong does not count as verified"


def test_a_flipped_byte_is_found_in_its_word(buffers: Buffers) -> None:
    whole = buffers.make(8192, shared=False)
    view, intake = whole[4096:8192], buffers.intake(4096)
    buffers.fill(view, NONCE, PLACE)
    buffers.flip(whole, 4096 + 803, 0x10)
    finding = intake.check(None, view, NONCE, PLACE)
    assert finding is not None
    assert (finding.kind, finding.first_word, finding.last_word) == ("BITFLIP", 100, 100)


def test_only_a_byte_of_the_piece_can_be_flipped(buffers: Buffers) -> None:
    whole = buffers.make(8192, shared=False)
    for at in (-1, 4096):
        with pytest.raises((CudaError, IndexError)):
            buffers.flip(whole[0:4096], at, 1)


@pytest.mark.parametrize("size", SIZES)
def test_a_message_is_unpacked_and_checked(arrival: Any, size: int) -> None:
    one = arrival(size)
    one.write(expected(NONCE, PLACE, size))
    assert one.land() is None
    assert one.intake.check(None, one.view, NONCE, PLACE) is None, "and it is in its place"
    assert one.intake.bytes == 2 * size


def test_a_message_that_is_wrong_is_named(arrival: Any) -> None:
    one = arrival(16384)
    one.write(expected(NONCE, PLACE._replace(iteration=2), 16384))
    finding = one.land()
    assert (finding.kind, finding.words_wrong) == ("STALE", 2048)


def test_a_hole_in_the_descriptors_is_not_taken_for_data(arrival: Any) -> None:
    one = arrival(3 * 4096)
    one.write(expected(NONCE, PLACE, 3 * 4096))
    whole = one._slot.descriptors(one.size)
    with pytest.raises(Exception, match="bytes"):
        one.land(whole[:2])


@pytest.mark.parametrize("size", [1, 4096, 100_001])
def test_a_whole_transfer(buffers: Buffers, size: int) -> None:
    chunks, total = 40, 40 * size
    with connected(channels=3) as ends:
        source, target = (buffers.make(total, shared=False) for _ in range(2))
        places = [Place(0, 0, chunk) for chunk in range(chunks)]
        for chunk, place in enumerate(places):
            buffers.fill(source[chunk * size : (chunk + 1) * size], NONCE, place)
        intakes = [buffers.intake(size) for _ in range(3)]
        findings: list[Any] = []

        def unpack(channel: int, job: Any, *rest: Any) -> Any:
            return intakes[channel].unpack(*rest, NONCE, places[job.chunk])

        def arrived(channel: int, job: Any, landed: Any) -> None:
            view = target[job.chunk * size : (job.chunk + 1) * size]
            findings.append(intakes[channel].check(landed, view, NONCE, places[job.chunk]))

        sent = ends.client.register_memory(source, is_recv=False, ptr_type=buffers.ptr_type)
        got = ends.server.register_memory(target, is_recv=True, ptr_type=buffers.ptr_type)
        incoming = ends.server.create_transfer("client", arrived, unpack=unpack)
        outgoing = ends.client.create_transfer("server")
        for chunk in range(chunks):
            incoming.post_recv(got, chunk * size, size)
            outgoing.post_send(sent, chunk * size, size)
        both(lambda: incoming.wait(10.0), lambda: outgoing.wait(10.0))
        assert findings == [None] * chunks
        assert sum(intake.bytes for intake in intakes) == total
        incoming.release()
        outgoing.release()


def test_the_devices_hold_on_host_memory_ends_with_the_session() -> None:
    device = StandIn()
    buffers = DeviceBuffers(device, channels=2, message_bytes=100_000)
    before = len(device.pinned)
    with connected(channels=2) as ends:
        view = buffers.make(100_000, shared=False)
        sent = ends.client.register_memory(view, is_recv=False, ptr_type=buffers.ptr_type)
        ends.server.register_memory(view, is_recv=True, ptr_type=buffers.ptr_type)
        assert len(device.pinned) == before + 4, "each channel's bounce buffer and staging slots"
        ends.client.register_memory(view, is_recv=False, ptr_type=buffers.ptr_type)
        assert len(device.pinned) == before + 4, "once for all buffers"
        outgoing = ends.client.create_transfer("server")
        outgoing.post_send(sent, 0, 100_000)
        outgoing.wait(10.0)
        outgoing.release()
    assert len(device.pinned) == before


def test_a_lost_peer_is_told_while_the_device_copies() -> None:
    device = StandIn(delay_s=0.05)
    buffers = DeviceBuffers(device, channels=1, message_bytes=1 << 20)
    with connected(channels=1) as ends:
        view = buffers.make(8 << 20, shared=False)
        sent = ends.client.register_memory(view, is_recv=False, ptr_type=buffers.ptr_type)
        outgoing = ends.client.create_transfer("server")
        for at in range(0, 8 << 20, 1 << 20):
            outgoing.post_send(sent, at, 1 << 20)
        ends.server.close()
        with pytest.raises(PeerGoneError):
            outgoing.wait(10.0)
        outgoing.release()


def test_host_buffers_can_be_shared_with_a_fork() -> None:
    assert host_buffer(10, shared=True).size == HostBuffers().make(10, shared=True).size == 10
    assert isinstance(HostBuffers().make(10, shared=False), np.ndarray)


def test_a_device_that_says_nothing_is_named_and_not_the_channel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("harness.tcpx.device.silence.DEVICE_S", 0.3)
    buffers = DeviceBuffers(StandIn(), channels=1, message_bytes=4096)
    with connected(channels=1) as ends:
        view = buffers.make(4096, shared=False)
        sent = ends.client.register_memory(view, is_recv=False, ptr_type=buffers.ptr_type)
        monkeypatch.setattr(StandIn, "begin", hung)
        outgoing = ends.client.create_transfer("server")
        outgoing.post_send(sent, 0, 4096)
        with pytest.raises(CudaError, match="the device has not moved one chunk"):
            outgoing.wait(10.0)
        outgoing.release()
        buffers.orders.fail("enough")


def hung(self: StandIn, orders: Any) -> Any:
    """Work that is begun and never done."""

    class Never:
        def outcomes(self) -> Any:
            threading.Event().wait(5.0)
            raise CudaError("enough")

    return Never()
