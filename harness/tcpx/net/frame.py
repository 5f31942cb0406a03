"""What travels on a data socket: 16 bytes of greeting each way, then frames of header and payload.

Every structure is 16 bytes, so that a socket's bytes are payload + 16 x (frames + 1), exactly.
"""

from __future__ import annotations

import struct

from harness.errors import RemoteProtocolError

HEADER = struct.Struct("<4sIII")  # magic, sequence, size, tag
GREETING = struct.Struct("<4sHBBQ")  # word, version, socket, sockets, nonce
HEADER_BYTES = HEADER.size
GREETING_BYTES = GREETING.size

VERSION = 1
HELLO = b"TCXh"  # from the connecting side
WELCOME = b"TCXw"  # from the listening side, once all sockets are there
_MAGIC = b"TCXf"
_U32 = 0xFFFFFFFF


def greeting(word: bytes, index: int, sockets: int, nonce: int) -> bytes:
    return GREETING.pack(word, VERSION, index, sockets, nonce)


def header(sequence: int, size_bytes: int, tag: int) -> bytes:
    return HEADER.pack(_MAGIC, sequence & _U32, size_bytes, tag & _U32)


def parse_header(raw: bytearray, sequence: int, posted_bytes: int) -> int:
    """The size that follows; refuses what is no header, out of turn, or larger than posted."""
    magic, number, size, _ = HEADER.unpack(raw)
    if magic != _MAGIC:
        raise RemoteProtocolError(
            f"{bytes(raw)!r} where a frame should begin", expected=f"{_MAGIC!r} first"
        )
    if number != sequence & _U32:
        raise RemoteProtocolError(f"frame {number}", expected=f"frame {sequence & _U32}")
    if size > posted_bytes:
        raise RemoteProtocolError(
            f"the peer sent {size} bytes into a receive of {posted_bytes}",
            expected=f"at most {posted_bytes} bytes",
            fix="Both roles must use the same plan",
        )
    return int(size)
