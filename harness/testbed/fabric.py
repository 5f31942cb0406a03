"""PID 1 of the fabric: holds the switches' namespace and the files, and answers the doors.

A door is a Unix socket, one a node. Whoever connects gets a TCP socket that is connected to the
node's sshd from the fabric's management address, so the controller joins no network of the testbed
and ssh enters a node by eth0 as it would on a real one. The answer is one message: `+` with the
socket, or `-` with the reason. A thread a door: a node that does not answer blocks its own door
only.
"""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from typing import Any, BinaryIO

from harness.testbed import layout, linux, node

CONNECT_S = 5.0
QUEUE = 64


def live(spec: dict[str, Any], lifeline: BinaryIO) -> int:
    """The whole life of the fabric."""
    outside_pid = int(os.readlink("/proc/self"))
    linux.mount("tmpfs", "/run", "tmpfs", linux.NOSUID | linux.NODEV, "mode=700")
    run = Path(layout.RUN)
    run.mkdir(mode=0o700)
    node.make_key(run / "key")
    for path, address in spec["doors"].items():
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        listener.listen(QUEUE)
        threading.Thread(target=_keep, args=(listener, address), daemon=True).start()
    node.say({"pid": outside_pid, "public_key": (run / "key.pub").read_text().strip()})
    lifeline.read()
    return 0


def _keep(door: socket.socket, address: str) -> None:
    while True:
        visitor, _ = door.accept()
        with visitor:
            visitor.settimeout(CONNECT_S)
            try:
                _answer(visitor, address)
            except OSError:
                continue  # the visitor left; nobody is there to be told


def _answer(visitor: socket.socket, address: str) -> None:
    source = (layout.FABRIC_ADDRESS, 0)
    try:
        reached = socket.create_connection((address, layout.SSH_PORT), CONNECT_S, source)
    except OSError as error:
        seen = f"{address}:{layout.SSH_PORT} from {source[0]}: {error.strerror or error}"
        visitor.sendall(b"-" + seen.encode())
        return
    with reached:
        reached.settimeout(None)  # non-blocking is a property that would travel with the socket
        socket.send_fds(visitor, [b"+"], [reached.fileno()])
