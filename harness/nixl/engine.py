"""NIXL's backend contract over our Session and Transfer.

The names are the contract's in Python's spelling. The server listens when it is asked for its
conn_info and accepts when it is told to connect; the client loads that conn_info and connects. The
transport moves bytes one way and knows no one-sided operation, so a transfer has two ends: the
client's WRITE sends, the server's READ receives, and what each side posts first meets what the
other posts first. Both ends must name pieces of the same sizes in the same order. Only receives are
consumed, by the channels' own threads (tcpx/lane.py).

Memory is registered before there is a peer, as the contract wants it, and with the Session when a
request first needs it. Steps are checked against the table in states.py before anything is done.
Not for several threads.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import count
from typing import Any

from harness.errors import LocalProtocolError, TransportError
from harness.nixl.memory import LocalMemory, RemoteMemory
from harness.nixl.request import Piece, Request
from harness.nixl.states import Asked, Link, Operation, Remote, Role, Status, require
from harness.plan import KIB
from harness.tcpx.lane import Job
from harness.tcpx.net.plugin import NetPlugin
from harness.tcpx.session import Session
from harness.tcpx.transfer import Transfer
from harness.tcpx.words import flat

CHUNK_BYTES = 512 * KIB
DEADLINE_S = 30.0


class Engine:
    """One agent's backend; it has one peer."""

    def __init__(
        self,
        net: NetPlugin,
        role: Role,
        *,
        gpu: int = 0,
        channels: int,
        nics: Sequence[str],
        chunk_bytes: int = CHUNK_BYTES,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.role, self.link = role, Link.NEW
        self._session = Session(net, gpu=gpu, channels=channels, nics=nics)
        self._chunk_bytes, self._deadline_s = chunk_bytes, deadline_s
        self._numbers = count(1)
        self._peer = ""
        self._local: list[LocalMemory] = []
        self._remote: dict[int, RemoteMemory] = {}
        self._transfer: Transfer | None = None
        self._requests = 0
        self._chunks = 0  # posted since the connection was made

    # -- lifecycle -----------------------------------------------------------------------------

    def get_conn_info(self) -> str:
        """Listen; what the client must load."""
        require("get_conn_info", self.role, self.link)
        info = self._session.listen()
        self.link = Link.LISTENING
        return info

    def load_remote_conn_info(self, peer: str, conn_info: str) -> None:
        require("load_remote_conn_info", self.role, self.link)
        self._session.load_remote_conn_info(peer, conn_info)
        self.link = Link.KNOWN

    def connect(self, peer: str) -> None:
        """The server accepts, the client connects; both within the engine's deadline."""
        require("connect", self.link)
        if self.role is Role.SERVER:
            self._session.accept(peer, self._deadline_s)
        else:
            self._session.connect(peer, self._deadline_s)
        self._transfer = self._session.create_transfer(peer, deadline_s=self._deadline_s)
        self._peer, self._chunks = peer, 0
        self.link = Link.CONNECTED

    def disconnect(self, peer: str) -> None:
        """Close all channels and forget the peer's memory; ours stays registered."""
        require("disconnect", self.link)
        self._refuse_stranger(peer)
        self._release_transfer()
        self._session.disconnect(peer)
        for memory in self._remote.values():
            memory.loaded = False
        for ours in self._local:
            ours.mem_id = 0
        self._remote.clear()
        self.link = Link.NEW

    def close(self) -> None:
        """Whatever state it is in: stop threads, close sockets."""
        self._release_transfer()
        self._session.close()

    # -- memory --------------------------------------------------------------------------------

    def register_mem(self, buffer: Any) -> LocalMemory:
        """`buffer` is bytes in a row; the server's are received into."""
        array = flat(buffer)
        address, size_bytes = array.ctypes.data, array.size
        for other in self._local:
            if other.overlaps(address, size_bytes):
                require("register_mem", other.state)
        memory = LocalMemory(next(self._numbers), buffer, size_bytes, address)
        self._local.append(memory)
        return memory

    def deregister_mem(self, memory: LocalMemory) -> None:
        require("deregister_mem", memory.state)
        if memory.mem_id:
            self._session.deregister_memory(memory.mem_id)
        memory.registered, memory.mem_id = False, 0
        self._local.remove(memory)

    def load_local_md(self, memory: LocalMemory) -> LocalMemory:
        """Ready for requests."""
        require("load_local_md", memory.state)
        memory.loaded = True
        return memory

    def load_remote_md(self, public_data: str) -> RemoteMemory:
        """`public_data` is the peer's of one memory."""
        memory = RemoteMemory.of(public_data)
        known = self._remote.get(memory.number)
        require("load_remote_md", self.link, known.state if known else Remote.ABSENT)
        self._remote[memory.number] = memory
        return memory

    def unload_md(self, memory: LocalMemory | RemoteMemory) -> None:
        require("unload_md", memory.state)
        memory.loaded = False
        if isinstance(memory, RemoteMemory):
            del self._remote[memory.number]

    # -- transfer ------------------------------------------------------------------------------

    def prep_xfer(
        self,
        operation: Operation,
        local: Sequence[Piece[LocalMemory]],
        remote: Sequence[Piece[RemoteMemory]],
        peer: str,
    ) -> Request:
        request = Request(operation, tuple(local), tuple(remote))
        ours, theirs = (piece.memory.state for piece in local), (p.memory.state for p in remote)
        require("prep_xfer", self.link, *ours, *theirs)
        self._refuse_stranger(peer)
        self._refuse_direction(operation)
        request.refuse_mismatch()
        for memory in request.memories:
            memory.holders += 1
        self._requests += 1
        self.link = Link.BUSY
        return request

    def post_xfer(self, request: Request) -> Status:
        """Hand the pieces to the channels; nobody is waited for. May be posted again when done."""
        require("post_xfer", request.state)
        self._feed(self._jobs(request))
        request.awaited = [self._chunks_of(channel) for channel in self._channels]
        request.until_s = time.monotonic() + self._deadline_s
        request.state = Asked.POSTED
        return Status.IN_PROG

    def check_xfer(self, request: Request) -> Status:
        """Raises what the transport failed with; the request has then failed."""
        require("check_xfer", request.state)
        if request.state is Asked.DONE:
            return Status.SUCCESS
        try:
            if not self._is_done(request):
                return Status.IN_PROG
        except TransportError:
            request.state = Asked.FAILED
            self._lanes.release()  # no channel goes on writing into memory that may go away
            raise
        request.state = Asked.DONE
        return Status.SUCCESS

    def release_req_h(self, request: Request) -> None:
        require("release_req_h", request.state)
        request.state = Asked.RELEASED
        for memory in request.memories:
            memory.holders -= 1
        self._requests -= 1
        if not self._requests:
            self.link = Link.CONNECTED

    # -- how -----------------------------------------------------------------------------------

    @property
    def _channels(self) -> range:
        return range(self._session.num_channels)

    @property
    def _lanes(self) -> Transfer:
        assert self._transfer is not None  # a request exists only on a link
        return self._transfer

    def _jobs(self, request: Request) -> list[Job]:
        """The pieces cut into chunks, numbered on from the last request's."""
        jobs: list[Job] = []
        for piece in request.local:
            mem_id = self._mem_id(piece.memory)
            for start in range(0, piece.size_bytes, self._chunk_bytes):
                size_bytes = min(self._chunk_bytes, piece.size_bytes - start)
                number = self._chunks + len(jobs)
                jobs.append(Job(number, mem_id, piece.offset + start, size_bytes, number))
        return jobs

    def _feed(self, jobs: list[Job]) -> None:
        """Chunk i to channel i mod n."""
        feed = self._lanes.feed_recv if self.role is Role.SERVER else self._lanes.feed_send
        for channel in self._channels:
            share = [job for job in jobs if job.chunk % len(self._channels) == channel]
            feed(channel, iter(share), len(share))
        self._chunks += len(jobs)

    def _chunks_of(self, channel: int) -> int:
        """How many of all chunks posted so far are `channel`'s."""
        return len(range(channel, self._chunks, len(self._channels)))

    def _is_done(self, request: Request) -> bool:
        if self._lanes.is_complete():
            return True
        if time.monotonic() > request.until_s:
            self._lanes.wait(0.0)  # says which channels are behind
        moved = (stats.chunks for stats in self._lanes.channel_stats())
        return all(map(int.__ge__, moved, request.awaited))

    def _mem_id(self, memory: LocalMemory) -> int:
        """The Session's name for a memory; registered there when it is first used."""
        if not memory.mem_id:
            memory.mem_id = self._session.register_memory(
                memory.buffer, is_recv=self.role is Role.SERVER
            )
        return memory.mem_id

    def _release_transfer(self) -> None:
        if self._transfer is not None:
            self._transfer.release()
            self._transfer = None

    def _refuse_stranger(self, peer: str) -> None:
        if peer != self._peer:
            raise LocalProtocolError(f"{peer!r} is not connected", expected=f"{self._peer!r}")

    def _refuse_direction(self, operation: Operation) -> None:
        """Bytes travel from the client to the server."""
        allowed = Operation.READ if self.role is Role.SERVER else Operation.WRITE
        if operation is not allowed:
            raise LocalProtocolError(
                f"prep_xfer of a {operation.name} while this engine is {self.role.value}",
                expected=allowed.name,
                fix="The transport carries data from the client to the server alone",
            )
