"""Writes messages into the server's memory with NIXL's UCX backend.

SIDE ADDRESS PORT MESSAGE_BYTES MESSAGES PARTS (PARTS is not used: the library spreads by itself)

The two agents exchange what they must know, and the client's "go" and "done", on a socket of their
own. The server polls that socket and its agent in turn, because UCX moves only when it is asked.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import struct
import sys
import time
from importlib import import_module
from typing import Any

import numpy as np

PATIENCE_S = 60.0
RETRY_S = 0.02
SENT, UNTOUCHED = 7, 1
GO, DONE, SEEN = b"g", b"d", b"s"


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def put(wire: socket.socket, body: bytes) -> None:
    wire.sendall(struct.pack("!I", len(body)) + body)


def take(wire: socket.socket) -> bytes:
    (size,) = struct.unpack("!I", wire.recv(4, socket.MSG_WAITALL))
    return wire.recv(size, socket.MSG_WAITALL)


def connect(address: str, port: int) -> socket.socket:
    """To a server that may still be loading its libraries."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return socket.create_connection((address, port), timeout=PATIENCE_S)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(RETRY_S)


class End:
    """An agent with one registered message."""

    def __init__(self, side: str, size: int) -> None:
        api: Any = import_module("nixl._api")
        self.message = np.full(size, SENT if side == "client" else UNTOUCHED, np.uint8)
        self.agent: Any = api.nixl_agent(side, api.nixl_agent_config(backends=[]))
        self.agent.create_backend("UCX", {})
        place = self.message.ctypes.data
        self._held = self.agent.register_memory([(place, size, 0, "message")], "DRAM")
        self.place: Any = self.agent.get_xfer_descs([(place, size, 0)], "DRAM")


def serve(address: str, port: int, size: int) -> None:
    end = End("server", size)
    with socket.create_server((address, port)) as listener:
        listener.settimeout(PATIENCE_S)
        wire, _ = listener.accept()
    put(wire, end.agent.get_agent_metadata())
    put(wire, end.agent.get_serialized_descs(end.place))
    end.agent.add_remote_agent(take(wire))
    progress_until(end.agent, wire, GO)
    before_s = cpu_s()
    progress_until(end.agent, wire, DONE)
    used_s = cpu_s() - before_s
    if not (end.message == SENT).all():
        raise SystemExit("the message did not arrive as it was sent")
    print(json.dumps({"cpu_s": used_s}), flush=True)
    wire.setblocking(True)
    wire.sendall(SEEN)


def progress_until(agent: Any, wire: socket.socket, word: bytes) -> None:
    """Let the library work until the client says `word`."""
    wire.setblocking(False)
    while True:
        try:
            if (heard := wire.recv(1)) == word:
                return
            raise SystemExit(f"the client said {heard!r}, expected {word!r}")
        except BlockingIOError:
            agent.get_new_notifs()


def write(address: str, port: int, size: int, messages: int) -> None:
    end = End("client", size)
    wire = connect(address, port)
    metadata, there = take(wire), end.agent.deserialize_descs(take(wire))
    put(wire, end.agent.get_agent_metadata())
    name = end.agent.add_remote_agent(metadata)
    name = name if isinstance(name, str) else name.decode()

    def move(number: int) -> None:
        handle = end.agent.initialize_xfer("WRITE", end.place, there, name, b"%d" % number)
        state = end.agent.transfer(handle)
        while state == "PROC":
            state = end.agent.check_xfer_state(handle)
        if state != "DONE":
            raise SystemExit(f"a write ended as {state}")
        end.agent.release_xfer_handle(handle)

    move(0)  # makes the connections
    wire.sendall(GO)
    before_s, started_s = cpu_s(), time.monotonic()
    for number in range(messages):
        move(number + 1)
    ended_s, used_s = time.monotonic(), cpu_s() - before_s
    wire.sendall(DONE)
    if wire.recv(1) != SEEN:
        raise SystemExit("the server did not confirm the message")
    figures = {"started_s": started_s, "ended_s": ended_s, "cpu_s": used_s}
    print(json.dumps({**figures, "bytes": size * messages}), flush=True)


def main(arguments: list[str]) -> None:
    side, address = arguments[:2]
    port, size, messages = map(int, arguments[2:5])
    if side == "server":
        serve(address, port, size)
    else:
        write(address, port, size, messages)


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # the library's destructors crash
