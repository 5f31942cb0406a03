"""The verbs' conformance suite: written against the NetPlugin Protocol, run on all that have it.

Both ends live in one thread, as none of the verbs blocks. A new implementation is one more line in
IMPLEMENTATIONS. What the Protocol leaves open is a trait: whether messages lie scattered, and who
knows their sizes. HIL_NCCL_PLUGIN names one more plugin to run it on, such as Google's, with the
stand-in for its daemon and host memory.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from fixtures.cuda import environment
from harness.errors import LocalProtocolError, RemoteProtocolError
from harness.tcpx.cuda.device import cuda_buffers
from harness.tcpx.net.nccl_net.net import NcclNet
from harness.tcpx.net.plugin import (
    HANDLE_BYTES,
    MAX_DESCRIPTORS,
    MAX_REQUESTS,
    PAGE_BYTES,
    PTR_CUDA,
    UNKNOWN_FRAMES,
    Completion,
    NetPlugin,
)
from harness.tcpx.net.sockets import Sockets
from harness.tcpx.rxdm.stand_in import StandIn
from suites.unit.tcpx.device.standin import device_buffers
from suites.unit.tcpx.net.memories import Host, Memory, OnDevice

TOLD, CHECKED, AGREED = "told", "checked", "agreed"
KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True)
class Given:
    """What an implementation may ask for; `end` closes what it opens."""

    request: pytest.FixtureRequest
    end: ExitStack

    @property
    def plugin(self) -> str:
        return str(self.request.getfixturevalue("nccl_plugin"))

    @property
    def no_cuda(self) -> str:
        return str(self.request.getfixturevalue("no_cuda"))

    def closing(self, net: Any) -> Any:
        return self.end.enter_context(closing(net))


@dataclass(frozen=True)
class Implementation:
    """How to make one, and what the Protocol leaves open. `sizes` of messages are told with them,
    or only checked against what was posted, or known by agreement alone."""

    make: Callable[[Given], NetPlugin]
    memory: Callable[[], Memory] = Host
    scatters: bool = True
    sizes: str = TOLD


def plugin(given: Given, **options: Any) -> NetPlugin:
    return given.closing(NcclNet(given.plugin, ["lo"], **options))


def three_sockets(given: Given) -> NetPlugin:
    return plugin(given, sockets_per_channel=3)


def without_gpu(given: Given) -> NetPlugin:
    """Its process takes a stand-in for CUDA's driver."""
    return plugin(given, gpu=0, environment=environment(given.no_cuda))


def with_gpu(given: Given) -> NetPlugin:
    return plugin(given, gpu=0)


def somebodys(path: str) -> Callable[[Given], NetPlugin]:
    def make(given: Given) -> NetPlugin:
        rxdm = given.closing(StandIn(lambda door, rule: None))
        return given.closing(NcclNet(path, ["lo"], environment=rxdm.environment))

    return make


def like_a_device() -> Memory:
    return Host(receives=PTR_CUDA)


def stand_in_device() -> Memory:
    return OnDevice(device_buffers(channels=1, message_bytes=8 * MIB))


def cuda_device() -> Memory:
    return OnDevice(cuda_buffers(0, channels=1, message_bytes=8 * MIB))


IMPLEMENTATIONS = {
    "sockets": Implementation(lambda _: Sockets(["lo"])),
    "three-sockets-a-channel": Implementation(lambda _: Sockets(["lo"], sockets_per_channel=3)),
    "sockets-device": Implementation(lambda _: Sockets(["lo"]), stand_in_device),
    "nccl-net": Implementation(plugin, scatters=False, sizes=AGREED),
    "nccl-net-scattered": Implementation(plugin, like_a_device, sizes=CHECKED),
    "nccl-net-three-sockets": Implementation(three_sockets, like_a_device, sizes=CHECKED),
    "nccl-net-device": Implementation(without_gpu, stand_in_device, sizes=CHECKED),
    "nccl-net-cuda": Implementation(with_gpu, cuda_device, sizes=CHECKED),
}
if path := os.environ.get("HIL_NCCL_PLUGIN"):
    IMPLEMENTATIONS["given-plugin"] = Implementation(somebodys(path), scatters=False, sizes=AGREED)
ON_GPU = ("nccl-net-cuda",)
SIZES = [0, 1, 23, 4095, 4096, 4097, 512 * KIB - 1, 512 * KIB, 512 * KIB + 1, 4 * MIB + 5, 8 * MIB]
PATIENCE_S = 10.0


@dataclass
class Pair:
    """A sending and a receiving comm that are connected."""

    implementation: Implementation
    memory: Memory
    net: NetPlugin
    send: Any
    recv: Any

    def to_send(self, data: np.ndarray) -> Any:
        """The registration of memory that holds these bytes."""
        return self.net.reg_mr(self.send, self.memory.holding(data), self.memory.sends)

    def post_send(self, data: np.ndarray, tag: int = 0) -> Any:
        return self.net.isend(self.send, self.to_send(data), 0, data.size, tag)

    def post_recv(self, size: int, tag: int = 0) -> Any:
        mr = self.net.reg_mr(self.recv, self.memory.room(size), self.memory.receives)
        return self.net.irecv(self.recv, mr, 0, size, tag)

    def finish(self, recv: Any, *sends: Any) -> Completion:
        """Drive both sides until the receive and then all sends are done."""
        unsent, received = list(sends), None
        until_s = time.monotonic() + PATIENCE_S
        while unsent or received is None:
            assert time.monotonic() < until_s, "the pair makes no progress"
            if unsent and self.net.test(unsent[0]).done:
                unsent.pop(0)
            if received is None and (completion := self.net.test(recv)).done:
                received = completion
        return received

    def message(self, completion: Completion) -> np.ndarray:
        return self.memory.unpacked(completion)

    def exchange(self, data: np.ndarray) -> np.ndarray:
        recv, send = self.post_recv(data.size), self.post_send(data)
        message = self.message(self.finish(recv, send))
        self.net.irecv_consumed(self.recv, recv)
        return message


def with_marks(name: str) -> Any:
    return pytest.param(IMPLEMENTATIONS[name], marks=[pytest.mark.gpu] * (name in ON_GPU), id=name)


@pytest.fixture(scope="module", params=map(with_marks, IMPLEMENTATIONS))
def implementation(request: pytest.FixtureRequest) -> Implementation:
    return request.param


@pytest.fixture(scope="module")
def net(implementation: Implementation, request: pytest.FixtureRequest) -> Iterator[NetPlugin]:
    with ExitStack() as end:
        yield implementation.make(Given(request, end))


@pytest.fixture(scope="module")
def memory(implementation: Implementation) -> Memory:
    return implementation.memory()


@pytest.fixture
def pair(implementation: Implementation, memory: Memory, net: NetPlugin) -> Iterator[Pair]:
    handle, listen_comm = net.listen(0)
    send = recv = None
    until_s = time.monotonic() + PATIENCE_S
    while send is None or recv is None:
        assert time.monotonic() < until_s, "no connection"
        send = send if send is not None else net.connect(0, handle)
        recv = recv if recv is not None else net.accept(listen_comm)
    net.close_listen(listen_comm)
    yield Pair(implementation, memory, net, send, recv)
    net.close_send(send)
    net.close_recv(recv)
    memory.clear()


def noise(size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8)


# -- finding and connecting --------------------------------------------------------------------


def test_a_device_has_a_name(net: NetPlugin) -> None:
    assert net.devices() == 1
    assert net.get_properties(0).name == "lo"


def test_a_device_that_is_not_there_is_refused(net: NetPlugin) -> None:
    for device in (-1, net.devices()):
        with pytest.raises(LocalProtocolError, match=rf"device {device}; expected 0\.\.0"):
            net.get_properties(device)
        with pytest.raises(LocalProtocolError):
            net.listen(device)


def test_a_handle_begins_with_the_nics_address(net: NetPlugin) -> None:
    handle, listen_comm = net.listen(0)
    net.close_listen(listen_comm)
    assert len(handle.raw) == HANDLE_BYTES
    assert int.from_bytes(handle.raw[:2], "little") == socket.AF_INET
    assert int.from_bytes(handle.raw[2:4], "big") > 0
    assert socket.inet_ntoa(handle.raw[4:8]) == "127.0.0.1"


def test_accept_and_connect_say_not_yet(net: NetPlugin) -> None:
    handle, listen_comm = net.listen(0)
    assert net.accept(listen_comm) is None
    assert net.connect(0, handle) is None, "nobody has accepted"
    assert handle.state is not None, "the connecting side keeps its state in the handle"
    net.close_listen(listen_comm)


def test_a_listen_comm_gives_one_connection(net: NetPlugin) -> None:
    handle, listen_comm = net.listen(0)
    send = recv = None
    while send is None or recv is None:
        send = send if send is not None else net.connect(0, handle)
        recv = recv if recv is not None else net.accept(listen_comm)
    with pytest.raises(LocalProtocolError, match="second accept"):
        net.accept(listen_comm)
    with pytest.raises(LocalProtocolError, match="second connect"):
        net.connect(0, handle)
    for close, comm in (
        (net.close_send, send),
        (net.close_recv, recv),
        (net.close_listen, listen_comm),
    ):
        close(comm)


# -- messages ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_any_size_arrives_whole(pair: Pair, size: int) -> None:
    data = noise(size)
    assert np.array_equal(pair.exchange(data), data)


def test_a_message_lies_in_pages_scattered_if_that_is_the_trait(pair: Pair) -> None:
    recv, send = pair.post_recv(512 * KIB), pair.post_send(noise(512 * KIB))
    descriptors = pair.finish(recv, send).descriptors
    assert len(descriptors) == 128
    assert (descriptors["len"] == PAGE_BYTES).all()
    neighbours = np.diff(descriptors["src_off"].astype(np.int64)) == PAGE_BYTES
    assert not neighbours.any() if pair.implementation.scatters else neighbours.all()
    assert len(np.unique(descriptors["src_off"])) == 128


def test_the_largest_message_needs_no_more_than_2048_descriptors(pair: Pair) -> None:
    recv, send = pair.post_recv(8 * MIB), pair.post_send(noise(8 * MIB))
    descriptors = pair.finish(recv, send).descriptors
    assert len(descriptors) == MAX_DESCRIPTORS
    assert int(descriptors["len"].sum()) == 8 * MIB


def test_messages_arrive_in_the_order_of_posting_whatever_their_tags(pair: Pair) -> None:
    sizes = [5000, 1, 70_000, 4096, 12_345, 300_000, 7]
    recvs = [pair.post_recv(size, tag=99 + i) for i, size in enumerate(sizes)]
    sends = [pair.post_send(noise(size, i), tag=12_345) for i, size in enumerate(sizes)]
    for i, size in enumerate(sizes):
        completion = pair.finish(recvs[i], *sends)
        sends = []
        assert np.array_equal(pair.message(completion), noise(size, i))
        pair.net.irecv_consumed(pair.recv, recvs[i])


def test_a_smaller_message_has_its_real_size_and_the_next_is_whole(pair: Pair) -> None:
    if pair.implementation.sizes != TOLD:
        assert_a_smaller_message_is_not_taken_for_another(pair)
        return
    sizes = [600, 0, 5000, 40_000]
    recvs = [pair.post_recv(512 * KIB) for _ in sizes]
    sends = [pair.post_send(noise(size, i)) for i, size in enumerate(sizes)]
    for i, size in enumerate(sizes):
        completion = pair.finish(recvs[i], *sends)
        sends = []
        assert completion.size_bytes == size
        assert np.array_equal(pair.message(completion), noise(size, i))
        pair.net.irecv_consumed(pair.recv, recvs[i])


def assert_a_smaller_message_is_not_taken_for_another(pair: Pair) -> None:
    """Without a size on the wire: refused where the descriptors tell, else as long as agreed."""
    recv, send = pair.post_recv(5000), pair.post_send(noise(600))
    if pair.implementation.sizes == CHECKED:
        with pytest.raises(RemoteProtocolError, match="sent 600 bytes into a receive of 5000"):
            pair.finish(recv, send)
        return
    completion = pair.finish(recv, send)
    assert completion.size_bytes == 5000
    assert np.array_equal(pair.message(completion)[:600], noise(600))


def test_a_larger_message_is_refused_once_and_for_all(pair: Pair) -> None:
    recv, send = pair.post_recv(100), pair.post_send(noise(600))
    agreed = pair.implementation.sizes == AGREED
    words = "more than was posted" if agreed else "sent 600 bytes"
    with pytest.raises(RemoteProtocolError, match=f"{words} into a receive of 100"):
        pair.finish(recv, send)
    for _ in range(2):  # what follows on the wire means nothing
        with pytest.raises(RemoteProtocolError, match=f"{words} into a receive of 100"):
            pair.finish(recv)


def test_several_registrations_are_told_apart(pair: Pair) -> None:
    first, second = noise(1000, 1), noise(2000, 2)
    mrs = [pair.to_send(data) for data in (first, second)]
    recvs = [pair.post_recv(500), pair.post_recv(700)]
    sends = [
        pair.net.isend(pair.send, mrs[1], 300, 500, 0),
        pair.net.isend(pair.send, mrs[0], 100, 700, 0),
    ]
    assert np.array_equal(pair.message(pair.finish(recvs[0], *sends)), second[300:800])
    assert np.array_equal(pair.message(pair.finish(recvs[1])), first[100:800])
    for mr in mrs:
        pair.net.dereg_mr(pair.send, mr)


def test_a_piece_outside_the_registration_is_refused(pair: Pair) -> None:
    mr = pair.to_send(noise(1000))
    for offset, size in ((1, 1000), (-1, 10), (1001, 0), (0, -1)):
        with pytest.raises(LocalProtocolError, match="of the 1000 bytes"):
            pair.net.isend(pair.send, mr, offset, size, 0)


# -- requests ----------------------------------------------------------------------------------


def test_the_17th_receive_is_refused(pair: Pair) -> None:
    recvs = [pair.post_recv(100) for _ in range(MAX_REQUESTS)]
    with pytest.raises(LocalProtocolError, match="unable to allocate requests"):
        pair.post_recv(100)
    pair.finish(recvs[0], pair.post_send(noise(100)))
    with pytest.raises(LocalProtocolError, match="unable to allocate requests"):
        pair.post_recv(100)  # done is not enough: it must be consumed
    pair.net.irecv_consumed(pair.recv, recvs[0])
    pair.post_recv(100)


def test_the_17th_send_is_refused(pair: Pair) -> None:
    sends = [pair.post_send(noise(100)) for _ in range(MAX_REQUESTS)]
    with pytest.raises(LocalProtocolError, match="unable to allocate requests"):
        pair.post_send(noise(100))
    pair.finish(pair.post_recv(100), sends[0])
    pair.post_send(noise(100))  # a send's place is free when it is done


def test_only_the_oldest_request_may_be_tested(pair: Pair) -> None:
    recvs = [pair.post_recv(100) for _ in range(2)]
    sends = [pair.post_send(noise(100)) for _ in range(2)]
    for younger in (recvs[1], sends[1]):
        with pytest.raises(LocalProtocolError, match="test called with invalid request"):
            pair.net.test(younger)


def test_done_is_said_once(pair: Pair) -> None:
    recv, send = pair.post_recv(100), pair.post_send(noise(100))
    pair.finish(recv, send)
    for request in (recv, send):
        with pytest.raises(LocalProtocolError, match="test called with invalid request"):
            pair.net.test(request)


def test_pages_come_back_only_in_order_and_only_once(pair: Pair) -> None:
    recvs = [pair.post_recv(100) for _ in range(2)]
    with pytest.raises(LocalProtocolError, match="irecv_consumed"):
        pair.net.irecv_consumed(pair.recv, recvs[0])  # not done
    sends = [pair.post_send(noise(100)) for _ in range(2)]
    pair.finish(recvs[0], *sends)
    pair.finish(recvs[1])
    with pytest.raises(LocalProtocolError, match="irecv_consumed"):
        pair.net.irecv_consumed(pair.recv, recvs[1])  # not the oldest
    pair.net.irecv_consumed(pair.recv, recvs[0])
    with pytest.raises(LocalProtocolError, match="irecv_consumed"):
        pair.net.irecv_consumed(pair.recv, recvs[0])  # a second time
    pair.net.irecv_consumed(pair.recv, recvs[1])


def test_pages_are_not_used_again_before_they_are_consumed(pair: Pair) -> None:
    size = 9000
    recvs = [pair.post_recv(size) for _ in range(MAX_REQUESTS)]
    sends = [pair.post_send(noise(size, i)) for i in range(MAX_REQUESTS)]
    completions = [pair.finish(recvs[0], *sends), *(pair.finish(recv) for recv in recvs[1:])]
    for i, completion in enumerate(completions):
        assert np.array_equal(pair.message(completion), noise(size, i))


def test_a_verb_of_the_other_side_is_refused(pair: Pair) -> None:
    mr = pair.to_send(noise(10))
    with pytest.raises(LocalProtocolError):
        pair.net.irecv(pair.send, mr, 0, 10, 0)
    with pytest.raises(LocalProtocolError):
        pair.net.isend(pair.recv, mr, 0, 10, 0)


# -- waiting, and peers that go away -----------------------------------------------------------


def test_waiting_for_a_silent_peer_ends_in_time(pair: Pair) -> None:
    recv = pair.post_recv(100)
    started_s = time.monotonic()
    pair.net.wait(pair.recv, 0.05)
    assert time.monotonic() - started_s < 1.0
    assert not pair.net.test(recv).done


def test_waiting_for_a_peer_that_reads_nothing_ends_in_time(pair: Pair) -> None:
    sends = [pair.post_send(np.zeros(8 * MIB, np.uint8)) for _ in range(MAX_REQUESTS)]
    started_s = time.monotonic()
    while pair.net.test(sends[0]).done:
        sends.pop(0)
    pair.net.wait(pair.send, 0.05)
    assert time.monotonic() - started_s < 5.0
    assert not pair.net.test(sends[0]).done


def test_a_wait_is_over_when_the_message_is_there(pair: Pair) -> None:
    send = pair.post_send(noise(3 * MIB))
    recv = pair.post_recv(3 * MIB)
    until_s = time.monotonic() + PATIENCE_S
    sent = False
    while not (completion := pair.net.test(recv)).done:
        assert time.monotonic() < until_s
        sent = sent or pair.net.test(send).done
        pair.net.wait(pair.recv, 0.001)
    assert np.array_equal(pair.message(completion), noise(3 * MIB))


def test_a_sender_that_left_is_named_and_done_never_follows(pair: Pair) -> None:
    recv = pair.post_recv(100)
    pair.net.close_send(pair.send)
    for _ in range(3):
        with pytest.raises(RemoteProtocolError, match="closed the connection"):
            pair.net.wait(pair.recv, PATIENCE_S)
        with pytest.raises(RemoteProtocolError, match="closed the connection"):
            pair.net.test(recv)


def test_what_arrived_before_the_sender_left_is_delivered(pair: Pair) -> None:
    recvs = [pair.post_recv(100), pair.post_recv(100)]
    completion = pair.finish(recvs[0], pair.post_send(noise(100)))
    pair.net.close_send(pair.send)
    assert np.array_equal(pair.message(completion), noise(100))
    with pytest.raises(RemoteProtocolError):
        pair.net.wait(pair.recv, PATIENCE_S)


def test_a_receiver_that_left_is_named_and_done_never_follows(pair: Pair) -> None:
    pair.net.close_recv(pair.recv)
    failure = None
    until_s = time.monotonic() + PATIENCE_S
    while failure is None:
        assert time.monotonic() < until_s, "the loss was not noticed"
        send = pair.post_send(noise(MIB))
        try:
            while not pair.net.test(send).done:
                pair.net.wait(pair.send, 0.1)
        except RemoteProtocolError as error:
            failure = error
    for _ in range(3):
        with pytest.raises(RemoteProtocolError):
            pair.net.test(send)


# -- accounts ----------------------------------------------------------------------------------


def test_both_ends_count_the_same_frame_bytes(pair: Pair) -> None:
    for size in (1, 5000, 70_000):
        pair.exchange(noise(size))
    frames = pair.net.frame_bytes(pair.send)
    assert frames == pair.net.frame_bytes(pair.recv)
    assert frames > 0 if pair.implementation.sizes == TOLD else frames == UNKNOWN_FRAMES
