"""What seldom changes: states, names and addresses of NICs, asked for only when they may have.

Every reading names them, and asking each time would cost more than the counters do. The kernel
announces each change of a link or an address over rtnetlink, in the same moment: after one, what
was known is forgotten and asked for again. A reader calls `refresh` first.
"""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
from functools import cache

from harness.nic.addresses import nic_by_address

SIOCGIFFLAGS = 0x8913
IFF_RUNNING = 0x40  # administratively up and with a carrier
IFREQ = struct.Struct("=16sH22x")
ANNOUNCED = 0x1 | 0x10 | 0x100  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR


def refresh() -> None:
    """Forget what was known before the latest change."""
    if announced(_news()):
        for known in (running, name_of, owners):
            known.cache_clear()


def announced(news: socket.socket) -> bool:
    """Whether changes were announced since one last asked; all of them are taken off the queue."""
    found = False
    while True:
        try:
            news.recv(1)  # that there is one is all there is to know
        except BlockingIOError:
            return found
        except OSError as error:
            if error.errno != errno.ENOBUFS:  # there were more than the queue holds
                raise
        found = True


@cache
def _news() -> socket.socket:
    """Announcements since its first use, for the rest of this process: it changes no namespace."""
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    news = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
    news.bind((0, ANNOUNCED))
    return news


@cache
def running(name: str) -> bool:
    """Whether the NIC is up, by one ioctl (psutil's net_if_stats asks for more, 40 us a NIC)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
        try:
            reply = fcntl.ioctl(door, SIOCGIFFLAGS, IFREQ.pack(name.encode(), 0))
        except OSError:  # gone since it was counted
            return False
    return bool(IFREQ.unpack(reply)[1] & IFF_RUNNING)


@cache
def name_of(index: int) -> str:
    """The NIC of an interface index."""
    try:
        return socket.if_indextoname(index)
    except OSError:  # gone since it was listed
        return f"#{index}"


@cache
def owners() -> dict[str, str]:
    """Every address of this node -> the NIC that owns it."""
    return nic_by_address()
