"""Two engines on loopback, and the way into every state of the contract's table."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.errors import TransportError
from harness.nixl import Engine, LocalMemory, Operation, Piece, RemoteMemory, Request, Role, Status
from harness.nixl.states import Asked, Link, Local, Remote, State
from harness.plan import KIB
from harness.tcpx.net.sockets import Sockets
from suites.unit.tcpx.ends import both

SIZE_BYTES = 64 * KIB
CHUNK_BYTES = 4 * KIB
CHANNELS = 2
DEADLINE_S = 5.0
NAMES = {Role.SERVER: "server", Role.CLIENT: "client"}
OTHER = {Role.SERVER: Role.CLIENT, Role.CLIENT: Role.SERVER}
OPERATION = {Role.SERVER: Operation.READ, Role.CLIENT: Operation.WRITE}


class CountingSockets(Sockets):
    """The verbs, with a count of those that move data."""

    def __init__(self) -> None:
        super().__init__(["lo"])
        self.counts = {"isend": 0, "irecv": 0, "irecv_consumed": 0}

    def isend(self, *arguments: Any) -> Any:
        self.counts["isend"] += 1
        return super().isend(*arguments)

    def irecv(self, *arguments: Any) -> Any:
        self.counts["irecv"] += 1
        return super().irecv(*arguments)

    def irecv_consumed(self, comm: Any, request: Any) -> None:
        self.counts["irecv_consumed"] += 1
        super().irecv_consumed(comm, request)


@dataclass(eq=False)
class Side:
    """One engine, and what it has of each thing that a step may be about."""

    role: Role
    deadline_s: float = DEADLINE_S
    net: CountingSockets = field(default_factory=CountingSockets)
    buffer: np.ndarray[Any, Any] = field(default_factory=lambda: np.zeros(SIZE_BYTES, np.uint8))
    local: LocalMemory = field(init=False)
    remote: RemoteMemory = field(init=False)
    request: Request = field(init=False)

    def __post_init__(self) -> None:
        self.engine = Engine(
            self.net,
            self.role,
            channels=CHANNELS,
            nics=["lo"],
            chunk_bytes=CHUNK_BYTES,
            deadline_s=self.deadline_s,
        )
        # What was never registered, loaded or prepared, for steps that are asked for too early.
        self.local = LocalMemory(0, self.buffer, SIZE_BYTES, 0, registered=False)
        self.remote = RemoteMemory(0, SIZE_BYTES, loaded=False)
        self.request = Request(OPERATION[self.role], (), (), Asked.RELEASED)

    @property
    def peer(self) -> str:
        return NAMES[OTHER[self.role]]

    def states(self) -> tuple[State, ...]:
        return self.engine.link, self.local.state, self.remote.state, self.request.state

    def register(self) -> None:
        self.local = self.engine.register_mem(self.buffer)

    def prepare(self, pieces: int = 1) -> None:
        size = SIZE_BYTES // pieces
        cuts = [(index * size, size) for index in range(pieces)]
        local = [Piece(self.local, *cut) for cut in cuts]
        remote = [Piece(self.remote, *cut) for cut in cuts]
        self.request = self.engine.prep_xfer(OPERATION[self.role], local, remote, self.peer)

    def finish(self) -> Status:
        """Check the request until it is no longer under way."""
        while (status := self.engine.check_xfer(self.request)) is Status.IN_PROG:
            time.sleep(0.001)
        return status


class World:
    """A server's and a client's side; `mine` is the one that is asked."""

    def __init__(self, mine: Role, deadline_s: float = DEADLINE_S) -> None:
        self.server = Side(Role.SERVER, deadline_s)
        self.client = Side(Role.CLIENT, deadline_s)
        self.mine = self.server if mine is Role.SERVER else self.client
        self.other = self.client if mine is Role.SERVER else self.server

    def reach(self, state: State) -> None:
        """Bring `mine` into `state` by allowed steps alone."""
        WAYS[state](self)

    # -- the ways ------------------------------------------------------------------------------

    def inform(self) -> None:
        """Listening or knowing, each as its role does."""
        info = self.server.engine.get_conn_info()
        self.client.engine.load_remote_conn_info("server", info)

    def connect(self) -> None:
        if self.mine.engine.link is Link.NEW:
            self.inform()
        if self.mine.engine.link in (Link.LISTENING, Link.KNOWN):
            both(
                lambda: self.server.engine.connect("client"),
                lambda: self.client.engine.connect("server"),
            )

    def load(self) -> None:
        for side in (self.server, self.client):
            if side.local.state is Local.ABSENT:
                side.register()
            if side.local.state is Local.REGISTERED:
                side.engine.load_local_md(side.local)

    def load_remote(self) -> None:
        if self.mine.engine.link is Link.NEW:
            self.inform()
        self.load()
        for side, other in ((self.server, self.client), (self.client, self.server)):
            if side.remote.state is Remote.ABSENT:
                side.remote = side.engine.load_remote_md(other.local.public_data)

    def prepare(self) -> None:
        self.connect()
        self.load_remote()
        if self.mine.request.state is Asked.RELEASED:
            self.mine.prepare()

    def post(self) -> None:
        self.prepare()
        self.mine.engine.post_xfer(self.mine.request)

    def finish(self) -> None:
        self.post()
        self.other.prepare()
        self.other.engine.post_xfer(self.other.request)
        both(self.mine.finish, self.other.finish)

    def fail(self) -> None:
        """The peer is gone before a byte of the request has moved."""
        self.prepare()
        self.other.engine.close()
        self.mine.engine.post_xfer(self.mine.request)
        with contextlib.suppress(TransportError):
            self.mine.finish()

    def release(self) -> None:
        self.prepare()
        self.mine.engine.release_req_h(self.mine.request)

    def close(self) -> None:
        for side in (self.server, self.client):
            side.engine.close()


def _nothing(world: World) -> None:
    """Everything begins like this."""


WAYS: dict[State, Callable[[World], None]] = {
    Role.SERVER: _nothing,
    Role.CLIENT: _nothing,
    Link.NEW: _nothing,
    Link.LISTENING: World.inform,
    Link.KNOWN: World.inform,
    Link.CONNECTED: World.connect,
    Link.BUSY: World.prepare,
    Local.ABSENT: _nothing,
    Local.REGISTERED: lambda world: world.mine.register(),
    Local.LOADED: World.load,
    Local.HELD: World.prepare,
    Remote.ABSENT: _nothing,
    Remote.LOADED: World.load_remote,
    Remote.HELD: World.prepare,
    Asked.PREPARED: World.prepare,
    Asked.POSTED: World.post,
    Asked.DONE: World.finish,
    Asked.FAILED: World.fail,
    Asked.RELEASED: World.release,
}


@contextlib.contextmanager
def world(mine: Role = Role.CLIENT, deadline_s: float = DEADLINE_S) -> Iterator[World]:
    made = World(mine, deadline_s)
    try:
        yield made
    finally:
        made.close()
