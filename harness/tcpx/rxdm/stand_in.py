"""The stand-in: the daemon's Unix sockets in a folder of their own, and an answer to everything.

Asked to install or remove a flow rule it says Ok and tells who listens: so it is a probe of every
data socket of a plugin, from a source that the plugin cannot do without. Asked for a GPU's receive
memory it hands out ordinary shared memory. It always answers, because who asks waits for ever.
"""

from __future__ import annotations

import mmap
import os
import selectors
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.errors import RemoteProtocolError
from harness.tcpx.rxdm.folder import Folder
from harness.tcpx.rxdm.message import LENGTH, FlowRule, framed, raw, rule_of

INSTALL, REMOVE = "rx_rule_manager", "rx_rule_uninstall"
GPU_FD, GPU_METADATA = "get_gpu_fd_", "get_gpu_metadata_"
OK, UNKNOWN = b"Ok.", b"Not understood."
POOL_BYTES = 64 << 20
# Where the stand-in answers: no GPU's memory to import, no NIC to wait for.
WITHOUT_DAEMON = {
    "NCCL_TCPX_RXMEM_IMPORT_USE_GPU_PCI_CLIENT": "0",
    "NCCL_GPUDIRECTTCPX_PROGRAM_FLOW_STEERING_WAIT_MICROS": "50000",
}
_METADATA = struct.Struct("@iQQ")  # file, size, alignment
_ANSWER_S = 1.0  # for who asks to take the answer
_RECEIVE_BYTES = 1 << 16

OnRule = Callable[[str, FlowRule], None]  # which of the two sockets, what for


class StandIn:
    """Serves until closed. `prefix` is the folder to tell the plugin; `gpus` are PCI addresses."""

    def __init__(self, on_rule: OnRule, gpus: Sequence[str] = ()) -> None:
        self._on_rule = on_rule
        self._folder = Folder()
        self.prefix = self._folder.path
        self._pool = os.memfd_create("rx-pool")
        os.ftruncate(self._pool, POOL_BYTES)
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        of_gpus = [kind + gpu for gpu in gpus for kind in (GPU_FD, GPU_METADATA)]
        for name in (INSTALL, REMOVE, *of_gpus):
            self._listen(name)
        self._thread = threading.Thread(target=self._serve, name="rxdm", daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """What to tell the plugin, as far as it has not been told otherwise."""
        unsaid = {name: value for name, value in WITHOUT_DAEMON.items() if name not in os.environ}
        return {"NCCL_GPUDIRECTTCPX_UNIX_CLIENT_PREFIX": self.prefix, **unsaid}

    def close(self) -> None:
        """A second time does nothing."""
        if self._wake.fileno() < 0:
            return
        self._wake.close()
        self._thread.join()
        os.close(self._pool)
        self._folder.remove()

    def _listen(self, name: str) -> None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(str(Path(self.prefix, name)))
        sock.listen()
        self._selector.register(sock, selectors.EVENT_READ, Door(sock, name))

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._woken:
                    self._end()
                    return
                if isinstance(key.data, Door):
                    asker = key.data.open()
                    self._selector.register(asker.sock, selectors.EVENT_READ, asker)
                elif not self._hear(key.data):
                    self._selector.unregister(key.fileobj)
                    key.data.sock.close()

    def _end(self) -> None:
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()

    def _hear(self, asker: Asker) -> bool:
        """Answer what has been asked; False when the asker has gone."""
        try:
            frames = asker.frames()
            for body in frames or ():
                self._answer(asker, body)
        except OSError:
            return False
        return frames is not None

    def _answer(self, asker: Asker, body: bytes) -> None:
        if asker.name.startswith(GPU_FD):
            socket.send_fds(asker.sock, [b"\0"], [self._pool])
        elif asker.name.startswith(GPU_METADATA):
            metadata = _METADATA.pack(self._pool, POOL_BYTES, mmap.PAGESIZE)
            asker.sock.sendall(framed(raw(metadata)))
        else:
            asker.sock.sendall(framed(raw(self._take(asker.name, body))))

    def _take(self, name: str, body: bytes) -> bytes:
        try:
            self._on_rule(name, rule_of(body))
        except RemoteProtocolError:
            return UNKNOWN
        return OK


class Door:
    """A listening socket of the daemon."""

    def __init__(self, sock: socket.socket, name: str) -> None:
        self._sock, self._name = sock, name

    def open(self) -> Asker:
        return Asker(self._sock.accept()[0], self._name)


class Asker:
    """Somebody who is connected to one of the doors, and what is here of the next frame."""

    def __init__(self, sock: socket.socket, name: str) -> None:
        self.sock, self.name = sock, name
        self._heard = b""
        sock.settimeout(_ANSWER_S)

    def frames(self) -> list[bytes] | None:
        """The bodies that are whole by now; None at the end."""
        more = self.sock.recv(_RECEIVE_BYTES)
        if not more:
            return None
        self._heard += more
        found = []
        while len(self._heard) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._heard)[0]
            if len(self._heard) < end:
                break
            found.append(self._heard[LENGTH.size : end])
            self._heard = self._heard[end:]
        return found


def gpus_of_this_machine() -> list[str]:
    """PCI addresses of the GPUs that the driver knows."""
    folder = Path("/proc/driver/nvidia/gpus")
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
