"""What a NIC's driver says of itself, by the ethtool ioctl: no library, no program, no root.

Layouts are those of linux/ethtool.h, which does not change them. `tcp_data_split` is newer than the
ioctl and is asked over generic netlink, in harness/nic/rings.py.
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct
from dataclasses import dataclass

SIOCETHTOOL = 0x8946
GDRVINFO, GSTRINGS, GFLAGS, GPFLAGS = 0x03, 0x1B, 0x25, 0x27
PRIVATE_FLAGS = 2  # the set of names that GSTRINGS is asked for
NTUPLE = 1 << 27
NAME_BYTES = 32
# cmd, driver, version, firmware, bus, expansion ROM, reserved, number of private flags, the rest
DRVINFO = struct.Struct("=I32s32s32s32s32s12sI16x")
IFREQ = struct.Struct("16sP16x")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverInfo:
    """'' where the driver says nothing, as virtual ones do."""

    driver: str
    version: str
    firmware: str
    bus: str
    private_flags: int


def driver_info(nic: str) -> DriverInfo:
    """Driver, firmware and bus; OSError where the NIC has no such driver."""
    reply = _ask(nic, DRVINFO.pack(GDRVINFO, b"", b"", b"", b"", b"", b"", 0))
    _, driver, version, firmware, bus, _, _, flags = DRVINFO.unpack(reply)
    texts = (_text(field) for field in (driver, version, firmware, bus))
    return DriverInfo(
        **dict(zip(("driver", "version", "firmware", "bus"), texts, strict=True)),
        private_flags=flags,
    )


def private_flags(nic: str) -> dict[str, bool]:
    """The driver's own switches by name, such as header split of some."""
    count = driver_info(nic).private_flags
    if not count:
        return {}
    names = _ask(
        nic, struct.pack("=III", GSTRINGS, PRIVATE_FLAGS, count) + bytes(count * NAME_BYTES)
    )
    (bits,) = struct.unpack_from("=I", _ask(nic, struct.pack("=II", GPFLAGS, 0)), 4)
    starts = range(12, 12 + count * NAME_BYTES, NAME_BYTES)
    return {
        _text(names[start : start + NAME_BYTES]): bool(bits >> index & 1)
        for index, start in enumerate(starts)
    }


def ntuple(nic: str) -> bool:
    """Whether flow steering by n-tuple is on."""
    (flags,) = struct.unpack_from("=I", _ask(nic, struct.pack("=II", GFLAGS, 0)), 4)
    return bool(flags & NTUPLE)


def _ask(nic: str, request: bytes) -> bytes:
    """One ioctl; the kernel answers in the request's own buffer."""
    buffer = array.array("B", request)
    address, _ = buffer.buffer_info()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
        fcntl.ioctl(door, SIOCETHTOOL, IFREQ.pack(nic.encode(), address))
    return buffer.tobytes()


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("ascii", "backslashreplace")
