"""The 128 bytes by which a listener is found: the real plugin's layout as far as it means anything.

Bytes 0..7 are a sockaddr_in (family little-endian, port big-endian, address), so that the NIC's
address can be read from any implementation's handle. The socket count stands where Google's plugin
has it. The nonce is ours: who does not know it is not the peer.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from harness.errors import RemoteProtocolError
from harness.tcpx.net.plugin import HANDLE_BYTES, NetHandle

_FAMILY = struct.Struct("<H")
_PORT = struct.Struct(">H")
_COUNTS = struct.Struct("<iiII")  # at 28: port range (unused, -1), sockets, threads
_NONCE = struct.Struct("<Q")  # at 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where somebody listens, on how many sockets a connection rests, and the word to say."""

    address: str
    port: int
    sockets: int
    nonce: int

    def to_handle(self) -> NetHandle:
        raw = bytearray(HANDLE_BYTES)
        _FAMILY.pack_into(raw, 0, socket.AF_INET)
        _PORT.pack_into(raw, 2, self.port)
        raw[4:8] = socket.inet_aton(self.address)
        _COUNTS.pack_into(raw, 28, -1, -1, self.sockets, 1)
        _NONCE.pack_into(raw, 48, self.nonce)
        return NetHandle(raw=bytes(raw))

    @classmethod
    def from_handle(cls, handle: NetHandle) -> Listening:
        raw = handle.raw
        family = _FAMILY.unpack_from(raw.ljust(HANDLE_BYTES, b"\0"))[0]
        sockets = _COUNTS.unpack_from(raw, 28)[2] if len(raw) == HANDLE_BYTES else 0
        if family != socket.AF_INET or not 1 <= sockets <= 8:
            raise RemoteProtocolError(
                f"a handle of {len(raw)} bytes, family {family}, {sockets} sockets",
                expected=f"{HANDLE_BYTES} bytes, family {int(socket.AF_INET)}, 1 to 8 sockets",
            )
        return cls(
            address=socket.inet_ntoa(raw[4:8]),
            port=_PORT.unpack_from(raw, 2)[0],
            sockets=sockets,
            nonce=_NONCE.unpack_from(raw, 48)[0],
        )
