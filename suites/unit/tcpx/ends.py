"""Two ends of the transport on loopback, in one process, for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.tcpx.net.sockets import Sockets
from harness.tcpx.payload import Place, expected
from harness.tcpx.session import Session

NONCE = 77
PATIENCE_S = 10.0


@dataclass
class Ends:
    """A server's and a client's session, connected."""

    server: Session
    client: Session
    said: list[str] = field(default_factory=list)


@contextmanager
def connected(channels: int = 4, **options: Any) -> Iterator[Ends]:
    """Both ends, connected by conn_info; closed afterwards."""
    said: list[str] = []
    sockets = options.pop("sockets_per_channel", 1)
    nets = [Sockets(["lo"], sockets_per_channel=sockets) for _ in range(2)]
    sessions = [
        Session(net, gpu=0, channels=channels, nics=["lo"], say=said.append, **options)
        for net in nets
    ]
    server, client = sessions
    client.load_remote_conn_info("server", server.listen())
    both(lambda: server.accept("client", PATIENCE_S), lambda: client.connect("server", PATIENCE_S))
    try:
        yield Ends(server, client, said)
    finally:
        for session in sessions:
            session.close()


def both(*calls: Callable[[], Any]) -> list[Any]:
    """Run calls side by side; their results, or the first error."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(2 * PATIENCE_S) for future in [pool.submit(call) for call in calls]]


def chunk_bytes(chunk: int, size: int, iteration: int = 0) -> np.ndarray[Any, Any]:
    return expected(NONCE, Place(iteration, 0, chunk), size)
