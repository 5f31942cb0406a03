"""The plugin in its process: loaded or refused, and whatever it does, the role survives and knows.

What every transport must do is in the conformance suite; here is what only a plugin can do wrong.
"""

from __future__ import annotations

import ctypes.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from fixtures import cuda
from harness.errors import (
    CudaError,
    LocalProtocolError,
    PluginCrashError,
    PluginError,
    RemoteProtocolError,
    StallError,
)
from harness.tcpx.cuda.device import cuda_buffers
from harness.tcpx.device.buffers import DeviceBuffers, Piece
from harness.tcpx.memory import host_buffer
from harness.tcpx.net.nccl_net.net import NcclNet
from harness.tcpx.net.nccl_net.worker import ORPHANED
from harness.tcpx.net.plugin import PTR_CUDA, PTR_HOST, NetPlugin
from harness.tcpx.net.sockets import Sockets
from harness.tcpx.unpack import unpack
from harness.tcpx.words import Place
from suites.unit.tcpx.device.standin import StandIn, device_buffers

PATIENCE_S = 10.0
SIZE = 70_001
NONCE, PLACE = 11, Place(3, 1, 5)
PROJECT = Path(__file__).parents[5]

Open = Callable[..., NcclNet]


@pytest.fixture
def opened(nccl_plugin: str) -> Iterator[Open]:
    """Opens the fixture plugin, with a misbehaviour if one is named; closed afterwards."""
    nets: list[NcclNet] = []

    def make(fault: str = "", driver: str = "", **options: Any) -> NcclNet:
        options.setdefault("nics", ["lo"])
        environment = {"NCCL_FIXTURE_FAULT": fault}
        environment |= cuda.environment(driver) if driver else {}
        nets.append(NcclNet(nccl_plugin, environment=environment, **options))
        return nets[-1]

    yield make
    for net in nets:
        net.close()


def connected(sender: NetPlugin, receiver: NetPlugin) -> tuple[Any, Any]:
    handle, listener = receiver.listen(0)
    send = recv = None
    until_s = time.monotonic() + PATIENCE_S
    while send is None or recv is None:
        assert time.monotonic() < until_s, "no connection"
        send = send if send is not None else sender.connect(0, handle)
        recv = recv if recv is not None else receiver.accept(listener)
    receiver.close_listen(listener)
    return send, recv


def buffer(size: int = SIZE) -> Any:
    made = host_buffer(size, shared=True)
    made[:] = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    return made


def post(net: NetPlugin, send: Any, recv: Any, kind: int = PTR_HOST) -> tuple[Any, Any]:
    """One message on its way; the two requests."""
    incoming = net.irecv(recv, net.reg_mr(recv, host_buffer(SIZE, shared=True), kind), 0, SIZE, 0)
    return net.isend(send, net.reg_mr(send, buffer(), PTR_HOST), 0, SIZE, 0), incoming


def until_done(net: NetPlugin, *requests: Any) -> list[Any]:
    """Drive requests of several comms until each is done."""
    done: dict[int, Any] = {}
    until_s = time.monotonic() + PATIENCE_S
    while len(done) < len(requests):
        assert time.monotonic() < until_s, "no progress"
        for index, request in enumerate(requests):
            if index not in done and (completion := net.test(request)).done:
                done[index] = completion
    return [done[index] for index in range(len(requests))]


# -- loading ------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(PluginError, match=r"/nowhere/libnet\.so cannot be loaded: /nowhere/lib"):
        NcclNet("/nowhere/libnet.so", ["lo"])


def test_a_library_without_the_symbol_is_named() -> None:
    libc = ctypes.util.find_library("c")
    assert libc is not None
    with pytest.raises(PluginError, match="undefined symbol: ncclNetPlugin_v7; expected a shared"):
        NcclNet(libc, ["lo"])


def test_inits_return_code_is_honoured_and_its_last_words_are_quoted(opened: Open) -> None:
    with pytest.raises(PluginError, match=r"init answered ncclInternalError \(3\)") as caught:
        opened(nics=["nosuchnic0"])
    assert "its last words: WARN NET: NET/Fixture : no interface found" in str(caught.value)


def test_a_plugin_that_exits_in_init_is_named(opened: Open) -> None:
    with pytest.raises(PluginCrashError, match="process exited with 1 in init; its") as caught:
        opened("exit-in-init")
    assert "cuInit failed with 999" in str(caught.value)
    assert caught.value.klass == "PLUGIN_CRASH"
    opened()  # and this process loads the next


def test_what_the_plugin_says_reaches_people_with_level_and_subsystem(opened: Open) -> None:
    said: list[str] = []
    opened(say=said.append)
    until_s = time.monotonic() + PATIENCE_S
    while not said and time.monotonic() < until_s:
        time.sleep(0.01)
    assert said == [
        "[ncclNet] INFO NET: NET/Fixture : plugin initialized with 1 interfaces, "
        "the first is lo, latency 0.5 us"
    ]


# -- crashes ------------------------------------------------------------------------------------


def test_a_crash_in_accept_is_named_with_its_signal(opened: Open) -> None:
    net = opened("crash-in-accept")
    _, listener = net.listen(0)
    for _ in range(2):  # and what is asked later gets the same answer
        with pytest.raises(PluginCrashError, match="was killed by SIGSEGV in accept; its last"):
            net.accept(listener)
    net.close_listen(listener)


@pytest.mark.parametrize(
    ("fault", "how"), [("exit-in-test", "exited with 1 in test"), ("", "was killed by SIGKILL")]
)
def test_every_outstanding_call_hears_of_the_end_at_once(
    opened: Open, fault: str, how: str
) -> None:
    net = opened(fault)
    comms = [connected(net, net) for _ in range(3)]
    for comm in 2 * comms:  # the fault is committed at a comm's third request
        until_done(net, *post(net, *comm))
    for comm in comms:
        net.irecv(comm[1], net.reg_mr(comm[1], buffer(), PTR_HOST), 0, SIZE, 0)
    started_s = time.monotonic()
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(net.wait, comm[1], PATIENCE_S) for comm in comms]
        if not fault:
            time.sleep(0.1)
            os.kill(net.pid, signal.SIGKILL)
        for call in calls:
            error = call.exception(PATIENCE_S)
            assert isinstance(error, PluginCrashError)
            assert how in str(error)
    assert time.monotonic() - started_s < PATIENCE_S / 2


def test_a_plugin_that_exits_while_closing_is_named(opened: Open) -> None:
    net = opened("exit-in-close")
    send, recv = connected(net, net)
    with pytest.raises(PluginCrashError, match="exited with 3 in closeSend"):
        net.close_send(send)
    net.close_send(send)  # told once is enough
    net.close_recv(recv)


def test_a_plugin_that_crashes_while_closing_a_listener_is_named(opened: Open) -> None:
    net = opened("crash-in-close-listen")
    _, listener = net.listen(0)
    with pytest.raises(PluginCrashError, match="was killed by SIGSEGV in closeListen"):
        net.close_listen(listener)


@pytest.mark.parametrize("consumed", [True, False])
def test_pages_that_were_consumed_are_given_back_before_the_close(
    opened: Open, consumed: bool
) -> None:
    said: list[str] = []
    net = opened(say=said.append)
    send, recv = connected(net, net)
    outgoing, incoming = post(net, send, recv)
    until_done(net, outgoing, incoming)
    if consumed:
        net.irecv_consumed(recv, incoming)
    net.close_recv(recv)
    net.close()  # all that was said has been read
    assert any("some pages not yet freed?" in line for line in said) == (not consumed)


def test_a_comm_whose_role_forgot_it_is_closed(opened: Open) -> None:
    net = opened()
    send, recv = connected(net, net)
    _, incoming = post(net, send, recv)
    send._line.close()
    with pytest.raises(RemoteProtocolError, match="closed the connection"):
        until_done(net, incoming)


@pytest.mark.parametrize("verb", ["accept", "test"])
def test_a_verb_that_does_not_return_is_named(opened: Open, verb: str) -> None:
    net = opened(f"block-in-{verb}", call_s=0.2)
    if verb == "accept":
        call = partial(net.accept, net.listen(0)[1])
    else:
        call = partial(net.test, post(net, *connected(net, net))[1])
    with pytest.raises(StallError, match=f"the plugin did not return from {verb} in 0.2 s"):
        call()
    net.close()
    assert net.exit_code == ORPHANED, "its process ends although it does not return"


# -- done, and what is not ----------------------------------------------------------------------


def test_a_plugin_that_stalls_is_waited_for_only_so_long(opened: Open) -> None:
    net = opened("stall")
    comm = connected(net, net)
    for _ in range(2):
        send, recv = post(net, *comm)
        until_done(net, send, recv)
    _, recv = post(net, *comm)
    started_s = time.monotonic()
    net.wait(comm[1], 0.1)
    assert 0.1 <= time.monotonic() - started_s < PATIENCE_S / 2
    assert not net.test(recv).done


@pytest.mark.parametrize("kind", [PTR_HOST, PTR_CUDA])
def test_a_size_that_the_plugin_says_is_believed_when_it_contradicts(
    opened: Open, kind: int
) -> None:
    net = opened("overrun")
    comm = connected(net, net)
    requests = post(net, *comm, kind)
    words = f"says that {SIZE + 64} bytes came into a receive of {SIZE}"
    with pytest.raises(RemoteProtocolError, match=words):
        until_done(net, *requests)
    with pytest.raises(RemoteProtocolError, match=words):
        net.test(requests[1])


def test_bytes_behind_a_receive_are_noticed_without_a_word(opened: Open) -> None:
    """As the real plugin does it: a larger send overruns a smaller receive."""
    net = opened()
    send, recv = connected(net, net)
    incoming = net.irecv(recv, net.reg_mr(recv, buffer(SIZE), PTR_HOST), 0, SIZE - 1, 0)
    outgoing = net.isend(send, net.reg_mr(send, buffer(), PTR_HOST), 0, SIZE, 0)
    words = f"more than was posted into a receive of {SIZE - 1}"
    with pytest.raises(RemoteProtocolError, match=words):
        until_done(net, outgoing, incoming)


def test_a_phantom_done_after_the_peers_death_is_never_said(opened: Open) -> None:
    net = opened("phantom")
    send, recv = connected(net, net)
    net.close_recv(recv)
    mr = net.reg_mr(send, buffer(8 << 20), PTR_HOST)
    request = net.isend(send, mr, 0, 8 << 20, 0)  # more than a socket's buffers take
    with pytest.raises(RemoteProtocolError, match=r"ncclSystemError \(2\)"):
        until_done(net, request)
    for _ in range(3):  # the plugin would say done now
        with pytest.raises(RemoteProtocolError, match="ncclSystemError"):
            net.test(request)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("private-bounce", "0x[0-9a-f]+ is memory that cannot be shared"),
        ("many-descriptors", "5000 descriptors in a slot of 2048"),
        ("no-device-handle", r"no device handle to unpack by \(one of type 0\)"),
    ],
)
def test_metadata_that_cannot_be_followed_is_named(opened: Open, fault: str, words: str) -> None:
    net = opened(fault)
    comm = connected(net, net)
    with pytest.raises(PluginError, match=f"the plugin's metadata cannot be read: .*{words}"):
        until_done(net, *post(net, *comm, PTR_CUDA))


# -- memory -------------------------------------------------------------------------------------


def test_memory_that_the_plugins_process_cannot_see_is_refused(opened: Open) -> None:
    net = opened()
    send, recv = connected(net, net)
    for comm, kind in ((send, PTR_HOST), (recv, PTR_CUDA)):
        with pytest.raises(LocalProtocolError, match="no other process can see; expected memory"):
            net.reg_mr(comm, np.zeros(SIZE, np.uint8), kind)
    net.reg_mr(recv, np.zeros(SIZE, np.uint8), PTR_HOST)  # only unpacked into, on our side


def test_device_memory_must_begin_at_a_page(opened: Open) -> None:
    net = opened()
    _, recv = connected(net, net)
    with pytest.raises(PluginError, match=r"regMr answered ncclInternalError \(3\).*not aligned"):
        net.reg_mr(recv, buffer()[1:], PTR_CUDA)
    net.reg_mr(recv, buffer(), PTR_CUDA)  # the comm is none the worse


@pytest.mark.parametrize(("kind", "words"), [(0, "memory of type 0"), (4, "memory of type 4")])
def test_other_kinds_of_memory_are_refused(opened: Open, kind: int, words: str) -> None:
    net = opened()
    with pytest.raises(LocalProtocolError, match=words):
        net.reg_mr(connected(net, net)[0], buffer(), kind)


def test_what_is_no_buffer_or_read_only_is_refused(opened: Open) -> None:
    net = opened()
    send, recv = connected(net, net)
    with pytest.raises(LocalProtocolError, match="no flat buffer"):
        net.reg_mr(send, object(), PTR_HOST)
    with pytest.raises(LocalProtocolError, match="read-only"):
        net.reg_mr(recv, b"may not be written", PTR_HOST)


def test_more_than_the_largest_message_is_refused(opened: Open) -> None:
    net = opened(max_message_bytes=1000)
    _, recv = connected(net, net)
    mr = net.reg_mr(recv, buffer(2000), PTR_HOST)
    with pytest.raises(LocalProtocolError, match="1001 bytes; expected at most 1000"):
        net.irecv(recv, mr, 0, 1001, 0)


# -- a device's memory --------------------------------------------------------------------------


@dataclass
class Device:
    """A device whose memory the plugin shares, and how to open the plugin for it."""

    buffers: DeviceBuffers
    open: Open

    def room(self) -> Piece:
        return self.buffers.make(SIZE, shared=True)


@pytest.fixture(params=["stand-in", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest, opened: Open) -> Device:
    if request.param == "cuda":
        buffers = cuda_buffers(0, channels=1, message_bytes=128 << 10)
        return Device(buffers, partial(opened, gpu=0))
    buffers = device_buffers(channels=1, message_bytes=128 << 10)
    return Device(buffers, partial(opened, gpu=0, driver=request.getfixturevalue("no_cuda")))


def on_device(device: Device, net: NcclNet, send: Any, recv: Any) -> tuple[Any, Any]:
    """One message on its way from the device's memory to the device's memory."""
    mr = net.reg_mr(recv, device.room(), PTR_CUDA)
    source = device.room()
    device.buffers.fill(source, NONCE, PLACE)
    incoming = net.irecv(recv, mr, 0, SIZE, 0)
    return net.isend(send, net.reg_mr(send, source, PTR_CUDA), 0, SIZE, 0), incoming


def test_a_message_is_verified_on_its_way_out_of_the_plugins_bounce_buffer(device: Device) -> None:
    net = device.open()
    send, recv = connected(net, net)
    for _ in range(20):  # more than the plugin has slots
        outgoing, incoming = on_device(device, net, send, recv)
        _, received = until_done(net, outgoing, incoming)
        assert isinstance(received.bounce, Piece), "the plugin's, and no copy of ours"
        view, intake = device.room(), device.buffers.intake(SIZE)
        landing = intake.unpack(received.descriptors, received.bounce, view, NONCE, PLACE)
        assert landing.is_down(PATIENCE_S)
        assert intake.check(landing, view, NONCE, PLACE) is None
        assert intake.bytes == SIZE
        net.irecv_consumed(recv, incoming)
    net.close_recv(recv)


def test_a_bounce_buffer_in_ordinary_memory_is_reached_by_the_device_too(device: Device) -> None:
    net = device.open("host-bounce")
    send, recv = connected(net, net)
    (outgoing, incoming), intake = on_device(device, net, send, recv), device.buffers.intake(SIZE)
    _, arrived = until_done(net, outgoing, incoming)
    view = device.room()
    landing = intake.unpack(arrived.descriptors, arrived.bounce, view, NONCE, PLACE)
    device.buffers.wait(landing)
    assert intake.check(landing, view, NONCE, PLACE) is None
    net.irecv_consumed(recv, incoming)
    net.close_recv(recv)


def test_memory_that_the_plugin_imported_itself_is_named(device: Device) -> None:
    net = device.open("imported-bounce")
    _, recv = connected(net, net)
    words = (
        "is a GPU's memory that cannot be shared, as what was itself imported: cuIpcGetMemHandle"
    )
    with pytest.raises(PluginError, match=f"metadata cannot be read: the bounce buffer .* {words}"):
        net.reg_mr(recv, device.room(), PTR_CUDA)


def test_a_devices_memory_must_begin_at_a_page(device: Device) -> None:
    net = device.open()
    _, recv = connected(net, net)
    with pytest.raises(PluginError, match=r"regMr answered ncclInternalError \(3\).*not aligned"):
        net.reg_mr(recv, device.room()[256:], PTR_CUDA)
    net.reg_mr(recv, device.room(), PTR_CUDA)  # the comm is none the worse


def test_a_devices_memory_needs_a_plugin_that_was_given_the_device(
    device: Device, opened: Open
) -> None:
    net = opened()
    _, recv = connected(net, net)
    with pytest.raises(CudaError, match="memory cannot be opened: this process was given no GPU"):
        net.reg_mr(recv, device.room(), PTR_CUDA)


def test_a_device_that_the_plugins_process_lacks_is_named(device: Device) -> None:
    with pytest.raises(CudaError, match="in the plugin's process cuDeviceGet answered CUDA_ERROR"):
        device.open(gpu=77)


def test_a_crash_leaves_the_device_usable(device: Device) -> None:
    net = device.open("exit-in-test")
    send, recv = connected(net, net)
    for _ in range(2):
        until_done(net, *on_device(device, net, send, recv))
    requests = on_device(device, net, send, recv)
    with pytest.raises(PluginCrashError, match="exited with 1 in test"):
        until_done(net, *requests)
    net.close_recv(recv)
    view, intake = device.room(), device.buffers.intake(SIZE)
    device.buffers.fill(view, NONCE, PLACE)
    assert intake.check(None, view, NONCE, PLACE) is None


def test_what_was_opened_is_closed_before_its_owner_frees_it(no_cuda: str, opened: Open) -> None:
    lent = StandIn()
    device = Device(
        DeviceBuffers(lent, channels=1, message_bytes=128 << 10),
        partial(opened, gpu=0, driver=no_cuda),
    )
    net = device.open()
    send, recv = connected(net, net)
    before = files_of(net.pid)
    mr = net.reg_mr(send, device.room(), PTR_CUDA)
    assert files_of(net.pid) == before + 1
    net.dereg_mr(send, mr)
    assert files_of(net.pid) == before
    until_done(net, *on_device(device, net, send, recv))
    assert len(lent.adopted) == 1
    lent_at_close: list[int] = []
    call, recv._line.call = (
        recv._line.call,
        lambda verb, **body: (lent_at_close.append(len(lent.adopted)), call(verb, **body))[1],
    )
    net.close_recv(recv)
    assert lent_at_close == [0], "the plugin frees its bounce buffer when the comm is closed"


def files_of(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


# -- company ------------------------------------------------------------------------------------


@pytest.mark.parametrize("plugin_sends", [True, False])
@pytest.mark.parametrize("sockets", [1, 3])
def test_it_talks_with_our_own_sockets(opened: Open, plugin_sends: bool, sockets: int) -> None:
    """The fixture plugin and net/sockets.py speak one wire format."""
    plugin: NetPlugin = opened(sockets_per_channel=sockets)
    ours: NetPlugin = Sockets(["lo"], sockets_per_channel=sockets)
    sender, receiver = (plugin, ours) if plugin_sends else (ours, plugin)
    send, recv = connected(sender, receiver)
    source, out = buffer(), np.zeros(SIZE, np.uint8)
    source_mr = sender.reg_mr(send, source, PTR_HOST)
    target_mr = receiver.reg_mr(recv, host_buffer(SIZE, shared=True), PTR_HOST)
    for _ in range(20):
        outgoing = sender.isend(send, source_mr, 0, SIZE, 0)
        incoming = receiver.irecv(recv, target_mr, 0, SIZE, 0)
        sent, received = False, None
        until_s = time.monotonic() + PATIENCE_S
        while not sent or received is None:
            assert time.monotonic() < until_s, "no progress"
            sent = sent or sender.test(outgoing).done
            if received is None and (completion := receiver.test(incoming)).done:
                received = completion
        unpack(received.descriptors, received.bounce, out)
        receiver.irecv_consumed(recv, incoming)
        assert np.array_equal(out, source)
    sender.close_send(send)
    receiver.close_recv(recv)


HOLDER = """
import sys, time
from harness.tcpx.net.nccl_net.net import NcclNet
net = NcclNet(sys.argv[1], ["lo"], environment={"NCCL_FIXTURE_FAULT": sys.argv[2]}, call_s=60)
print(net.pid, flush=True)
net.accept(net.listen(0)[1])
time.sleep(60)
"""


@pytest.mark.parametrize("busy", ["", "block-in-accept"])
def test_the_plugins_process_goes_with_its_role(nccl_plugin: str, busy: str) -> None:
    command = [sys.executable, "-c", HOLDER, nccl_plugin, busy]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as role:
        assert role.stdout is not None
        child = psutil.Process(int(role.stdout.readline()))
        assert child.is_running()
        role.kill()
    until_s = time.monotonic() + PATIENCE_S
    while is_alive(child):
        assert time.monotonic() < until_s, "it outlived its role"
        time.sleep(0.01)


def is_alive(process: psutil.Process) -> bool:
    """Whether it still runs; nobody may be there to bury it."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
