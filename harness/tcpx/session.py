"""A session: one GPU's channels to one peer, in the order listen/accept or load/connect.

The methods are the transport's own. Memory is registered once for all channels and addressed by
mem_id and offset from then on. Not for several threads; the data plane has its own (see lane.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from harness.errors import LocalProtocolError
from harness.tcpx.channel_manager import ChannelManager, Say
from harness.tcpx.conn_info import from_conn_info, to_conn_info
from harness.tcpx.lane import Job, OnChunk, Unpack
from harness.tcpx.net.plugin import PTR_HOST, NetHandle, NetPlugin
from harness.tcpx.sliding_window import RECV_LIMIT, SEND_LIMIT
from harness.tcpx.transfer import Transfer
from harness.tcpx.unpack import unpack

DEADLINE_S = 30.0


def _unpack_here(_: int, job: Job, descriptors: Any, bounce: Any, place: Any) -> None:
    """Host memory: at once, in the channel's own thread."""
    unpack(descriptors, bounce, place)


class Session:
    """One side of the connection between two roles."""

    def __init__(
        self,
        net: NetPlugin,
        *,
        gpu: int,
        channels: int,
        nics: Sequence[str],
        recv_window: int = RECV_LIMIT,
        send_window: int = SEND_LIMIT,
        say: Say | None = None,
    ) -> None:
        self.net, self.gpu = net, gpu
        self.manager = ChannelManager(net, channels, gpu, nics, say=say)
        self._windows = {"recv_window": recv_window, "send_window": send_window}
        self._remote: dict[str, list[NetHandle]] = {}
        self._peer = ""
        self._mem_ids = count(1)

    @property
    def num_channels(self) -> int:
        return self.manager.num_channels

    @property
    def handles(self) -> list[NetHandle]:
        """One a channel, once `listen` was called."""
        return self.manager.handles

    def listen(self) -> str:
        """Listen on every channel; the conn_info that the peer needs."""
        return to_conn_info(self.manager.server_listen_all())

    def accept(self, name: str, deadline_s: float = DEADLINE_S) -> None:
        self._refuse_second(name)
        self.manager.server_accept_all(deadline_s)
        self._peer = name

    def load_remote_conn_info(self, name: str, conn_info: str) -> None:
        self.load_remote_handles(name, from_conn_info(conn_info))

    def load_remote_handles(self, name: str, handles: Sequence[NetHandle]) -> None:
        """The same, for handles that came by the bootstrap's wire."""
        self._remote[name] = list(handles)

    def connect(self, name: str, deadline_s: float = DEADLINE_S) -> None:
        self._refuse_second(name)
        if name not in self._remote:
            raise LocalProtocolError(
                f"no conn_info of {name!r}", expected=f"one of {sorted(self._remote)}"
            )
        self.manager.client_connect_all(self._remote[name], deadline_s)
        self._peer = name

    def disconnect(self, name: str) -> None:
        """Close all channels, as the transport does."""
        self._require(name)
        self.close()

    def register_memory(self, buffer: Any, *, is_recv: bool, ptr_type: int = PTR_HOST) -> int:
        """Register a buffer with every channel; its mem_id, 1 or more."""
        mem_id = next(self._mem_ids)
        self.manager.register_memory(mem_id, buffer, is_recv=is_recv, ptr_type=ptr_type)
        return mem_id

    def deregister_memory(self, mem_id: int) -> None:
        self.manager.deregister_memory(mem_id)

    def get_memory_handle(self, mem_id: int, channel: int = 0) -> Any:
        """The plugin's registration of a buffer with one channel."""
        self.manager.memory(mem_id)
        return self.manager.get_channel(channel).mrs[mem_id]

    def create_transfer(
        self,
        name: str,
        on_chunk: OnChunk | None = None,
        *,
        deadline_s: float = DEADLINE_S,
        unpack: Unpack = _unpack_here,
    ) -> Transfer:
        """`on_chunk(channel, job, view)` runs in the channel's thread: right before a chunk is
        sent, or right after one has been received and unpacked."""
        self._require(name)
        return Transfer(
            self.net,
            self.manager,
            deadline_s=deadline_s,
            on_chunk=on_chunk,
            unpack=unpack,
            **self._windows,
        )

    def close(self) -> None:
        self.manager.close_all()
        self._peer = ""

    def _require(self, name: str) -> None:
        if not name or name != self._peer:
            raise LocalProtocolError(
                f"Not connected to {name!r}", expected=f"{self._peer!r}" if self._peer else "a peer"
            )

    def _refuse_second(self, name: str) -> None:
        if self._peer:
            raise LocalProtocolError(
                f"a second connection, to {name!r}", expected=f"one; this is {self._peer!r}'s"
            )
