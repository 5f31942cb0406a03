"""A grant: the server's word to the client which channel carries a chunk.

The transport's messages carry no tags, so the two sides of a channel have to agree on the order of
its chunks before. Grants travel over the bootstrap's connection, in the order in which chunks were
dealt: five bytes each, the channel in one and the chunk's tag in four, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from harness.errors import BootstrapError, PeerGoneError, RemoteProtocolError
from harness.plan import Plan
from harness.tcpx.bootstrap import Connection

GRANT = struct.Struct("<BI")


def send(connection: Connection, channel: int, tag: int, left_s: float) -> None:
    """Tell the client; that it cannot be told is an echo of what became of it."""
    try:
        connection.send_exact(GRANT.pack(channel, tag), left_s)
    except BootstrapError as error:
        raise PeerGoneError(f"the client takes no grants: {error.seen}") from error


def read(
    connection: Connection, plan: Plan, left_s: Callable[[], float]
) -> Iterator[tuple[int, int]]:
    """Channel and tag of every chunk of the transfer; refuses what the plan does not have."""
    total = plan.chunks * plan.iterations
    for _ in range(total):
        channel, tag = GRANT.unpack(connection.recv_exact(GRANT.size, left_s()))
        if channel >= plan.channels or tag >= total:
            raise RemoteProtocolError(
                f"a grant of chunk {tag} on channel {channel}",
                expected=f"one of {total} chunks on one of {plan.channels} channels",
            )
        yield channel, tag
