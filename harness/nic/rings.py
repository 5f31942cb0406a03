"""Whether a NIC splits TCP headers from data, which devmem-tcp needs: ethtool over generic netlink.

Two questions: the number of the family `ethtool`, then the NIC's rings. Attributes are those of
linux/ethtool_netlink.h.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

GENERIC = 16
HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
ATTRIBUTE = struct.Struct("=HH")
REQUEST, NESTED, TYPE_MASK = 0x1, 0x8000, 0x3FFF
ERROR = 2
CONTROL, GETFAMILY, FAMILY_ID, FAMILY_NAME = 0x10, 3, 1, 2
RINGS_GET, RINGS_HEADER, DEVICE_NAME, TCP_DATA_SPLIT = 15, 1, 2, 11
SPLIT = {1: "off", 2: "on"}
ANSWER_BYTES = 1 << 16
ANSWER_S = 1.0


def tcp_data_split(nic: str) -> str:
    """`on` or `off`; ValueError where the driver leaves it open, OSError where it has no rings."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, GENERIC) as door:
        door.settimeout(ANSWER_S)
        name = attribute(FAMILY_NAME, b"ethtool\0")
        family = dict(_ask(door, CONTROL, GETFAMILY, 1, name))[FAMILY_ID]
        device = attribute(DEVICE_NAME, nic.encode() + b"\0")
        asked = attribute(RINGS_HEADER | NESTED, device)
        rings = dict(_ask(door, struct.unpack("=H", family)[0], RINGS_GET, 1, asked))
    state = rings.get(TCP_DATA_SPLIT, b"\0")[0]
    if state not in SPLIT:
        raise ValueError("the driver does not say")
    return SPLIT[state]


def attribute(kind: int, body: bytes) -> bytes:
    """One attribute, padded."""
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(body), kind) + body + bytes(-len(body) % 4)


def attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes of a message; a torn one ends them."""
    while len(body) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(body)
        if not ATTRIBUTE.size <= length <= len(body):
            return
        yield kind & TYPE_MASK, body[ATTRIBUTE.size : length]
        body = body[length + -length % 4 :]


def _ask(
    door: socket.socket, family: int, command: int, version: int, asked: bytes
) -> list[tuple[int, bytes]]:
    """One question, one answer; the kernel's error as OSError."""
    body = struct.pack("=BBH", command, version, 0) + asked
    door.send(HEADER.pack(HEADER.size + len(body), family, REQUEST, 1, 0) + body)
    answer = door.recv(ANSWER_BYTES)
    _, kind, *_ = HEADER.unpack_from(answer)
    if kind == ERROR:
        (code,) = struct.unpack_from("=i", answer, HEADER.size)
        raise OSError(-code, os.strerror(-code))
    return list(attributes(answer[HEADER.size + 4 :]))
