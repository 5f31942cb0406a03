"""TCP sockets that were closed, each with its last reading: the kernel announces them.

A socket that nobody asks about before it is closed takes its counts along; SOCK_DIAG's destroy
events hand them out at that moment, whoever owned it and without root. It has no owner any more
then: whose it was must have been seen before. If more are closed at once than the queue holds, the
rest is lost, which the count of `lost` tells.
"""

from __future__ import annotations

import errno
import socket

from harness.evidence import SocketSeen
from harness.nic import links
from harness.nic.sockets import MESSAGE, NETLINK_SOCK_DIAG, RECEIVE_BYTES, seen_in

ANNOUNCED = 1 | 1 << 2  # SKNLGRP_INET_TCP_DESTROY and SKNLGRP_INET6_TCP_DESTROY
QUEUE_BYTES = 4 << 20
SOCK_DIAG_BY_FAMILY = 20


class Closed:
    """Sockets of this network namespace that were closed since it was made."""

    def __init__(self) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        self._news = socket.socket(socket.AF_NETLINK, kind, NETLINK_SOCK_DIAG)
        self._news.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE_BYTES)
        self._news.bind((0, ANNOUNCED))
        self.lost = 0

    def take(self) -> list[SocketSeen]:
        """Those that were announced since the last call; never waits."""
        links.refresh()
        found: list[SocketSeen] = []
        while True:
            try:
                data = self._news.recv(RECEIVE_BYTES)
            except BlockingIOError:
                return found
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.lost += 1
                continue
            _, kind, _, _, _ = MESSAGE.unpack_from(data)
            if kind == SOCK_DIAG_BY_FAMILY:
                found.append(seen_in(data[MESSAGE.size :], links.owners()))

    def close(self) -> None:
        self._news.close()
