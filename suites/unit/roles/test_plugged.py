"""An exchange over a plugin: the same words from both roles, and the kernel's about its sockets."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.cuda import environment
from harness.errors import (
    PluginCrashError,
    PluginError,
    RemoteProtocolError,
    StallError,
    TransportError,
)
from harness.evidence import ChannelDone, ChannelSockets, Damage, FlowSteered, IterationDone
from harness.nic.sockets import tcp_sockets
from harness.plan import KIB, MIB, Assignment, Fault, Plan
from harness.roles.carrier import carrier_of
from harness.roles.plugged import Plugin
from harness.tcpx.channel_manager import Channel
from harness.tcpx.device.buffers import DeviceBuffers
from harness.tcpx.net.plugin import NetHandle
from harness.tcpx.rxdm.stand_in import gpus_of_this_machine
from suites.unit.roles.ends import PLAN, Ended, Heard, assignment, clean, exchange
from suites.unit.tcpx.device.standin import device_buffers

WHATS = ("install", "remove")
STAND_INS_GPU = "0000:05:00.0"  # as fixtures/cuda has it
DEALT = {"distribution": "least-loaded"}


def over(plugin: str, plan: Plan = PLAN, **changes: object) -> Plan:
    return replace(plan, transport="nccl-net", plugin=plugin, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("sockets", [1, 2])
@pytest.mark.parametrize("distribution", ["round-robin", "least-loaded"])
def test_an_exchange_over_a_plugin_is_verified_and_accounted_for(
    nccl_plugin: str, sockets: int, distribution: str
) -> None:
    plan = over(nccl_plugin, iterations=3, sockets_per_channel=sockets, distribution=distribution)
    server, client = clean(plan)
    done = {role.role: role.all(ChannelDone) for role in (server, client)}
    for said in done.values():
        assert sum(one.bytes for one in said) == plan.total_bytes
        assert {one.frame_bytes for one in said} == {-1}
    assert sum(one.bytes_verified for one in done["server"]) == plan.total_bytes
    assert server.all(Damage) == []
    assert len(server.all(IterationDone)) == len(client.all(IterationDone)) == 3
    pairs = zip(server.all(ChannelSockets), client.all(ChannelSockets), strict=True)
    for channel, (theirs, ours) in enumerate(pairs):
        assert len(theirs.sockets) == len(ours.sockets) == sockets
        payload = sum(one.bytes for one in done["client"] if one.channel == channel)
        sent = sum(s.bytes_sent - s.bytes_retrans for s in ours.sockets)
        received = sum(s.bytes_received for s in theirs.sockets)
        assert payload < sent <= received <= sent + 2 * sockets
        assert {s.nic for s in (*theirs.sockets, *ours.sockets)} == {"lo"}
        ends = {(s.local_port, s.peer_port) for s in theirs.sockets}
        assert ends == {(s.peer_port, s.local_port) for s in ours.sockets}


@pytest.mark.parametrize("window", [(1, 1), (16, 16)])
def test_windows_of_any_size_move_everything(nccl_plugin: str, window: tuple[int, int]) -> None:
    plan = Plan(channels=2, size_bytes=8 * MIB, chunk_bytes=64 * KIB, iterations=2)
    server, _ = clean(over(nccl_plugin, plan, recv_window=window[0], send_window=window[1]))
    assert sum(one.bytes_verified for one in server.all(ChannelDone)) == plan.total_bytes


@pytest.fixture(params=["stand-in", pytest.param("cuda", marks=pytest.mark.gpu)])
def on_device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans with CUDA memory run here: on a GPU, or on what stands in for one."""
    if request.param == "cuda":
        return
    for name, value in environment(request.getfixturevalue("no_cuda")).items():
        monkeypatch.setenv(name, value)

    def buffers_of(told: Assignment) -> DeviceBuffers:
        return device_buffers(told.plan.channels, told.plan.chunk_bytes)

    monkeypatch.setattr("harness.roles.endpoint.buffers_of", buffers_of)


@pytest.mark.usefixtures("on_device")
@pytest.mark.parametrize("changes", [{}, {"prepared": True}, {"registrations": 3}, DEALT])
def test_a_devices_memory_is_verified_out_of_the_plugins_bounce_buffer(
    nccl_plugin: str, changes: dict[str, object]
) -> None:
    plan = over(nccl_plugin, memory="cuda", iterations=3, **changes)
    server, client = clean(plan)
    for role in (server, client):
        assert sum(one.bytes for one in role.all(ChannelDone)) == plan.total_bytes
    assert sum(one.bytes_verified for one in server.all(ChannelDone)) == plan.total_bytes
    assert server.all(Damage) == []


@pytest.mark.usefixtures("on_device")
def test_damage_in_a_devices_memory_is_found_in_its_word(nccl_plugin: str) -> None:
    faults = (Fault(kind="flip", chunk=5, value=1001),)
    server, _ = clean(over(nccl_plugin, memory="cuda", faults=faults))
    (damage,) = server.all(Damage)
    assert (damage.kind, damage.chunk, damage.first_word) == ("BITFLIP", 5, 1001 // 8)


@pytest.mark.usefixtures("on_device")
@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("exit-in-test", PluginCrashError, "exited with 1 in test"),
        ("imported-bounce", PluginError, "a GPU's memory that cannot be shared"),
        ("overrun", RemoteProtocolError, "says that 65600 bytes came into a receive of 65536"),
    ],
)
def test_a_misbehaviour_on_a_device_ends_the_server_with_its_name(
    monkeypatch: pytest.MonkeyPatch,
    nccl_plugin: str,
    fault: str,
    kind: type[TransportError],
    words: str,
) -> None:
    server, _ = faulty(monkeypatch, nccl_plugin, fault, memory="cuda")
    assert isinstance(server.error, kind)
    assert words in str(server.error)


def faulty(
    monkeypatch: pytest.MonkeyPatch, plugin: str, fault: str, memory: str = "host"
) -> tuple[Ended, Ended]:
    monkeypatch.setenv("NCCL_FIXTURE_FAULT", fault)
    deadline_s = 2.0 if memory == "host" else 8.0  # a GPU's context is made on it
    return exchange(over(plugin, iterations=2, deadline_s=deadline_s, memory=memory))


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("exit-in-init", PluginCrashError, "exited with 1 in init"),
        ("crash-in-accept", PluginCrashError, "was killed by SIGSEGV in accept"),
        ("exit-in-test", PluginCrashError, "exited with 1 in test"),
        ("exit-in-close", PluginCrashError, "exited with 3 in closeRecv"),
        ("overrun", RemoteProtocolError, "says that 65600 bytes came into a receive of 65536"),
        ("stall", StallError, "not done after"),
    ],
)
def test_each_misbehaviour_ends_the_server_with_its_name(
    monkeypatch: pytest.MonkeyPatch,
    nccl_plugin: str,
    fault: str,
    kind: type[TransportError],
    words: str,
) -> None:
    server, client = faulty(monkeypatch, nccl_plugin, fault)
    assert isinstance(server.error, kind)
    assert words in str(server.error)
    if fault != "exit-in-close":
        assert client.error is not None, "a client whose server failed cannot have succeeded"


def test_a_plugin_that_is_not_there_is_named() -> None:
    server, client = exchange(over("/nowhere/libnet.so"))
    for role in (server, client):
        assert isinstance(role.error, PluginError)
        assert "/nowhere/libnet.so cannot be loaded" in str(role.error)


@pytest.mark.parametrize("sockets", [1, 3])
def test_the_stand_in_for_the_daemon_tells_of_every_data_socket(
    nccl_plugin: str, sockets: int
) -> None:
    """From the plugin's own requests; the kernel's table says the same."""
    plan = over(nccl_plugin, rxdm="stand-in", sockets_per_channel=sockets)
    server, client = clean(plan)
    steered = server.all(FlowSteered)
    assert client.all(FlowSteered) == [], "only who receives has flows steered"
    assert {rule.gpu for rule in steered} == {"0000:04:00.0"}
    ends = {what: sorted(_ends(rule) for rule in steered if rule.what == what) for what in WHATS}
    theirs = [
        (s.peer_address, s.peer_port, s.local_address, s.local_port)
        for channel in server.all(ChannelSockets)
        for s in channel.sockets
    ]
    assert len(theirs) == sockets * plan.channels
    assert ends["install"] == ends["remove"] == sorted(theirs)


@pytest.mark.usefixtures("on_device")
def test_flows_into_a_devices_memory_are_steered_to_that_device(nccl_plugin: str) -> None:
    server, _ = clean(over(nccl_plugin, memory="cuda", rxdm="stand-in"))
    (gpu,) = {rule.gpu.lower() for rule in server.all(FlowSteered)}
    assert gpu in {STAND_INS_GPU, *gpus_of_this_machine()}


def test_a_plugin_that_cannot_be_loaded_leaves_nothing_of_the_stand_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    told = assignment(over("/nowhere/libnet.so", rxdm="stand-in"), "server")
    with pytest.raises(PluginError, match="cannot be loaded"):
        carrier_of(told, ["lo"], Heard("server"))
    assert list(tmp_path.iterdir()) == []


def _ends(rule: FlowSteered) -> tuple[str, int, str, int]:
    return (
        rule.source_address,
        rule.source_port,
        rule.destination_address,
        rule.destination_port,
    )


def test_a_daemon_that_is_not_there_ends_the_accept(
    monkeypatch: pytest.MonkeyPatch, nccl_plugin: str
) -> None:
    monkeypatch.setenv("NCCL_GPUDIRECTTCPX_UNIX_CLIENT_PREFIX", "/nowhere")
    server, _ = exchange(over(nccl_plugin, deadline_s=2.0))
    assert isinstance(server.error, PluginError)
    assert "accept answered ncclInternalError (3)" in str(server.error)
    assert "flow steering rule at /nowhere/rx_rule_manager failed" in str(server.error)


def test_a_plugin_that_takes_no_request_yet_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, nccl_plugin: str
) -> None:
    monkeypatch.setenv("NCCL_FIXTURE_FAULT", "shy")
    server, _ = clean(over(nccl_plugin))
    assert sum(one.bytes_verified for one in server.all(ChannelDone)) == PLAN.total_bytes


def test_only_what_is_connected_to_the_channels_listener_is_the_channels(
    nccl_plugin: str,
) -> None:
    told = assignment(over(nccl_plugin), "server")
    carrier = carrier_of(told, ["lo"], Heard("server"))
    assert isinstance(carrier, Plugin)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
        listener.accept()[0],
    ):
        raw = bytearray(128)
        raw[2:4] = listener.getsockname()[1].to_bytes(2, "big")
        raw[4:8] = socket.inet_aton("127.0.0.1")
        handle = NetHandle(raw=bytes(raw))
        ends = {}
        for role, comms in (("server", {"recv_comm": 1}), ("client", {"send_comm": 1})):
            channel = Channel(0, 0, "lo", handle, **comms)  # type: ignore[arg-type]
            (seen,) = carrier.sockets(channel, 1.0)
            ends[role] = seen.local_port, seen.peer_port
        assert ends["client"] == (client.getsockname()[1], listener.getsockname()[1])
        assert ends["server"] == ends["client"][::-1]
        assert len(tcp_sockets()) >= 2
    assert carrier.sockets(Channel(0, 0, "lo"), 1.0) == (), "a channel that was never connected"
    carrier.close()
