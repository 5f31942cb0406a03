"""What travels between a role and its plugin's process: one message a packet, never payload.

A message is a JSON object, the bytes of descriptors where there are any, and open files.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_LENGTH = struct.Struct("<I")
_PACKET_BYTES = 1 << 17  # descriptors are at most 32 KiB
_FILES_MAX = 4


class Gone(Exception):
    """The other end was closed."""


@dataclass(frozen=True, slots=True)
class Message:
    """`files` belong to whoever holds the message, to be closed when it has been dealt with."""

    body: dict[str, Any]
    data: bytes = b""
    files: Sequence[int] = field(default=())

    def close_files(self) -> None:
        for file in self.files:
            os.close(file)


def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(sock: socket.socket, message: Message) -> None:
    head = json.dumps(message.body, separators=(",", ":")).encode()
    packet = _LENGTH.pack(len(head)) + head + message.data
    try:
        socket.send_fds(sock, [packet], message.files, socket.MSG_NOSIGNAL)
    except (BrokenPipeError, ConnectionResetError) as error:
        raise Gone from error


def receive(sock: socket.socket) -> Message:
    """The next message; blocks as long as the socket does."""
    try:
        packet, files, _, _ = socket.recv_fds(sock, _PACKET_BYTES, _FILES_MAX)
    except ConnectionResetError as error:
        raise Gone from error
    if not packet:
        raise Gone
    for file in files:
        os.set_inheritable(file, False)
    (length,) = _LENGTH.unpack_from(packet)
    body = json.loads(packet[_LENGTH.size : _LENGTH.size + length])
    return Message(body, packet[_LENGTH.size + length :], files)
