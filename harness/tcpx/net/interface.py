"""What the kernel says of one NIC: its IPv4 address, whether it is up, its speed and PCI path.

Two ioctls and two files of sysfs: enough to bind a socket, and nothing to install.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct

from harness.errors import LinkError

_SIOCGIFFLAGS = 0x8913
_SIOCGIFADDR = 0x8915
_IFF_UP = 0x1
_IFREQ = struct.Struct("16s24x")
_FIX = "Look at it with: ip address"


def address_of(nic: str) -> str:
    """The first IPv4 address of `nic`."""
    try:
        answer = _ask(nic, _SIOCGIFADDR)
    except OSError as error:
        raise LinkError(
            f"{nic} has no IPv4 address ({error.strerror})", expected="one address", fix=_FIX
        ) from error
    return socket.inet_ntoa(answer[20:24])


def require_up(nic: str) -> None:
    """Refuse a NIC that is missing or down: TCP would only say so after minutes."""
    try:
        flags = struct.unpack_from("<H", _ask(nic, _SIOCGIFFLAGS), 16)[0]
    except OSError as error:
        have = ", ".join(name for _, name in socket.if_nameindex())
        raise LinkError(f"there is no NIC {nic}", expected=f"one of {have}") from error
    if not flags & _IFF_UP:
        raise LinkError(f"{nic} is down", expected="up", fix=f"ip link set {nic} up")


def speed_mbit_s(nic: str) -> int:
    """The link's speed, 0 when the driver does not say."""
    try:
        with open(f"/sys/class/net/{nic}/speed", encoding="ascii") as file:
            return max(0, int(file.read()))
    except (OSError, ValueError):
        return 0


def pci_path(nic: str) -> str:
    """The device's path in sysfs, '' for a virtual NIC."""
    path = f"/sys/class/net/{nic}/device"
    return os.path.realpath(path) if os.path.exists(path) else ""


def _ask(nic: str, request: int) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return fcntl.ioctl(sock, request, _IFREQ.pack(nic.encode()[:15]))
