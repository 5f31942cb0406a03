"""The channels of one GPU: which NIC each uses, its comms, and the memory that all of them share.

Channel i uses the NIC at place i mod n of the interface list. The list's order decides, not the
plugin's: devices are found by name. Any channel's failure fails the whole; the error names the
channel and its NIC.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.errors import (
    LinkError,
    LocalProtocolError,
    RemoteProtocolError,
    StallError,
    TransportError,
)
from harness.tcpx.net.plugin import PTR_HOST, NetHandle, NetPlugin

Say = Callable[[str], None]
_FIRST_POLL_S = 0.0005
_LAST_POLL_S = 0.01


@dataclass(slots=True)
class Channel:
    """One channel's resources. `handle` is the listener's, on both sides."""

    channel_id: int
    net_dev: int
    nic: str
    handle: NetHandle | None = None
    listen_comm: Any = None
    recv_comm: Any = None
    send_comm: Any = None
    mrs: dict[int, Any] = field(default_factory=dict)  # mem_id -> the comm's registration

    @property
    def comm(self) -> Any:
        """The comm that data moves on."""
        return self.recv_comm if self.recv_comm is not None else self.send_comm


@dataclass(frozen=True, slots=True)
class Memory:
    """A buffer that is registered with every channel."""

    array: Any  # bytes that can be sliced; of a device, its own kind
    is_recv: bool


class ChannelManager:
    """N channels, connected together, closed together."""

    def __init__(
        self,
        net: NetPlugin,
        channels: int,
        gpu: int,
        nics: Sequence[str],
        *,
        say: Say | None = None,
    ) -> None:
        self._net = net
        self._say = say or (lambda _: None)
        self._memory: dict[int, Memory] = {}
        self._channels = _resolve(net, channels, nics)
        self._tell(
            f"Created {channels} channel(s) for GPU {gpu} (TCPX devices available: {net.devices()})"
        )
        for channel in self._channels:
            index, device = channel.channel_id, channel.net_dev
            pci = net.get_properties(device).pci_path or "none"
            self._tell(f"Channel {index} → netDev {device} ({channel.nic}, PCI={pci})")

    @property
    def num_channels(self) -> int:
        return len(self._channels)

    def get_channel(self, index: int) -> Channel:
        if not 0 <= index < len(self._channels):
            raise LocalProtocolError(
                f"Invalid channel index: {index}", expected=f"0..{len(self._channels) - 1}"
            )
        return self._channels[index]

    def get_channel_for_chunk(self, chunk: int) -> Channel:
        """Round-robin."""
        return self._channels[chunk % len(self._channels)]

    def server_listen_all(self) -> list[NetHandle]:
        if self.handles:
            raise LocalProtocolError("a second listen", expected="close_all first")
        for channel in self._channels:
            with self._naming(channel):
                channel.handle, channel.listen_comm = self._net.listen(channel.net_dev)
            self._tell(f"Channel {channel.channel_id}: Listening on netDev={channel.net_dev}")
        self._tell(f"All {self.num_channels} channels listening successfully")
        return self.handles

    @property
    def handles(self) -> list[NetHandle]:
        return [channel.handle for channel in self._channels if channel.handle is not None]

    def server_accept_all(self, deadline_s: float) -> None:
        """Every channel's one connection, in whatever order they come."""
        if any(channel.listen_comm is None for channel in self._channels):
            raise LocalProtocolError("accept before listen", expected="server_listen_all first")

        def accept(channel: Channel) -> bool:
            channel.recv_comm = self._net.accept(channel.listen_comm)
            return channel.recv_comm is not None

        self._all(accept, deadline_s, "accepted")

    def client_connect_all(self, handles: Sequence[NetHandle], deadline_s: float) -> None:
        """Channel i to handle i."""
        if len(handles) != self.num_channels:
            raise RemoteProtocolError(
                f"Handle count mismatch: expected {self.num_channels}, got {len(handles)}",
                fix="Both roles must use the same number of channels",
            )
        for channel, handle in zip(self._channels, handles, strict=True):
            channel.handle = handle

        def connect(channel: Channel) -> bool:
            assert channel.handle is not None
            channel.send_comm = self._net.connect(channel.net_dev, channel.handle)
            return channel.send_comm is not None

        self._all(connect, deadline_s, "connected")

    def register_memory(
        self, mem_id: int, buffer: Any, *, is_recv: bool, ptr_type: int = PTR_HOST
    ) -> None:
        """One buffer for all channels; chunks are addressed by mem_id and offset."""
        for channel in self._channels:
            with self._naming(channel):
                comm = channel.recv_comm if is_recv else channel.send_comm
                if comm is None:
                    raise LocalProtocolError(
                        "not connected", expected="a connection to register with"
                    )
                channel.mrs[mem_id] = self._net.reg_mr(comm, buffer, ptr_type)
        is_host = ptr_type == PTR_HOST
        array = np.frombuffer(buffer, np.uint8) if is_host else buffer
        self._memory[mem_id] = Memory(array, is_recv)
        kind, where = "recv" if is_recv else "send", "HOST" if is_host else "CUDA"
        self._tell(f"Registering {where} memory for {kind}: mem_id={mem_id}, size={len(array)}")

    def deregister_memory(self, mem_id: int) -> None:
        memory = self.memory(mem_id)
        for channel in self._channels:
            comm = channel.recv_comm if memory.is_recv else channel.send_comm
            self._net.dereg_mr(comm, channel.mrs.pop(mem_id))
        del self._memory[mem_id]

    def memory(self, mem_id: int) -> Memory:
        if mem_id not in self._memory:
            raise LocalProtocolError(
                f"mem_id {mem_id}", expected=f"one of {sorted(self._memory)} (registered)"
            )
        return self._memory[mem_id]

    def close_all(self) -> None:
        """Close whatever is open; a second time does nothing."""
        for channel in self._channels:
            for name, close in (
                ("recv_comm", self._net.close_recv),
                ("send_comm", self._net.close_send),
                ("listen_comm", self._net.close_listen),
            ):
                if (comm := getattr(channel, name)) is not None:
                    setattr(channel, name, None)
                    close(comm)
            channel.mrs.clear()
            channel.handle = None
        self._memory.clear()
        self._tell("All channels closed")

    def _all(self, step: Callable[[Channel], bool], deadline_s: float, done: str) -> None:
        """Repeat `step` for each channel until it says True; nobody waits for anybody's turn."""
        until_s, poll_s = time.monotonic() + deadline_s, _FIRST_POLL_S
        missing = list(self._channels)
        while missing := [channel for channel in missing if not self._tried(step, channel)]:
            if time.monotonic() > until_s:
                raise _missing(missing, deadline_s, done)
            time.sleep(poll_s)
            poll_s = min(poll_s * 2, _LAST_POLL_S)
        self._tell(f"All {self.num_channels} channels {done} successfully")

    def _tried(self, step: Callable[[Channel], bool], channel: Channel) -> bool:
        with self._naming(channel):
            return step(channel)

    @contextmanager
    def _naming(self, channel: Channel) -> Iterator[None]:
        """An error that passes gets the channel and its NIC."""
        try:
            yield
        except TransportError as error:
            error.channel = channel.channel_id
            error.where = error.where or channel.nic
            raise

    def _tell(self, line: str) -> None:
        self._say(f"[ChannelManager] {line}")


def _resolve(net: NetPlugin, channels: int, nics: Sequence[str]) -> list[Channel]:
    if channels < 1 or not nics:
        raise LocalProtocolError(f"{channels} channels on {len(nics)} NICs", expected="1 or more")
    devices = {net.get_properties(device).name: device for device in range(net.devices())}
    if unknown := [nic for nic in nics if nic not in devices]:
        raise LinkError(
            f"no device is named {unknown[0]}",
            channel=list(nics).index(unknown[0]),
            expected=f"one of {', '.join(devices)}",
        )
    turns = [nics[index % len(nics)] for index in range(channels)]
    return [Channel(index, devices[nic], nic) for index, nic in enumerate(turns)]


def _missing(missing: Sequence[Channel], deadline_s: float, done: str) -> StallError:
    names = ", ".join(f"{channel.channel_id} ({channel.nic})" for channel in missing)
    return StallError(
        f"channels {names} were not {done} in {deadline_s:g} s",
        channel=missing[0].channel_id,
        where=missing[0].nic,
        expected=f"every channel {done}",
    )
