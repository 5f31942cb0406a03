"""A NetPlugin over any shared object that exports `ncclNetPlugin_v7`.

What the plugin reads from its environment follows from the plan; what the environment says already
of the rest is left alone. A channel's frames are the plugin's own affair: how many bytes they are
is not known here.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from harness.errors import HarnessError, LocalProtocolError, PluginError, TransportError
from harness.tcpx.net.comm import Request
from harness.tcpx.net.nccl_net.child import Child, Say
from harness.tcpx.net.nccl_net.comm import PluginComm, PluginRecv, PluginSend
from harness.tcpx.net.nccl_net.line import CALL_S, Line
from harness.tcpx.net.plugin import (
    MAX_DESCRIPTORS,
    MAX_REQUESTS,
    PAGE_BYTES,
    PTR_CUDA,
    PTR_HOST,
    UNKNOWN_FRAMES,
    Completion,
    DeviceBuffer,
    NetHandle,
    NetProperties,
)

MAX_MESSAGE_BYTES = MAX_DESCRIPTORS * PAGE_BYTES
START_S = 30.0  # a GPU's context takes seconds
CHUNK_SIZE = "NCCL_DYNAMIC_CHUNK_SIZE"  # without it the real plugin hangs
CHUNK_BYTES = 512 << 10


@dataclass(slots=True, eq=False)
class Listener:
    """What the plugin's process listens with."""

    number: int
    accepted: bool = False
    failed: TransportError | None = None


class NcclNet:
    """The plugin at `path`, in a process of its own that ends with `close` or with this one; of a
    device's memory that of `gpu` can be registered, by its number in this process."""

    sends_ahead = MAX_REQUESTS  # a send is done when it has left, not when it was taken

    def __init__(
        self,
        path: str,
        nics: Sequence[str],
        *,
        sockets_per_channel: int = 1,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        environment: dict[str, str] | None = None,
        gpu: int | None = None,
        say: Say | None = None,
        call_s: float = CALL_S,
    ) -> None:
        self._max_message_bytes = max_message_bytes
        self._numbers = count(1)
        variables = _environment(nics, sockets_per_channel) | (environment or {})
        self._child = Child(path, variables, say or (lambda _: None), gpu)
        self._control = Line(self._child, self._child.control, call_s)
        self._call_s = call_s
        try:
            self._properties = self._load(path)
        except HarnessError:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The plugin's process."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """How the plugin's process ended, once it has been closed."""
        return self._child.exit_code

    def close(self) -> None:
        """End the plugin's process, in whatever state its comms are."""
        self._child.close()

    def devices(self) -> int:
        return len(self._properties)

    def get_properties(self, device: int) -> NetProperties:
        if not 0 <= device < len(self._properties):
            names = ", ".join(found.name for found in self._properties)
            raise LocalProtocolError(
                f"device {device}", expected=f"0..{len(self._properties) - 1} ({names})"
            )
        return self._properties[device]

    def listen(self, device: int) -> tuple[NetHandle, Any]:
        self.get_properties(device)
        listener = Listener(next(self._numbers))
        said = self._control.call("listen", device=device, listener=listener.number)
        return NetHandle(raw=bytes.fromhex(said.body["handle"])), listener

    def accept(self, listen_comm: Any) -> Any | None:
        listener: Listener = listen_comm
        if listener.accepted:  # the real plugin would end the process
            raise LocalProtocolError("a second accept", expected="one connection per listen comm")
        if listener.failed:
            raise listener.failed
        try:
            said = self._control.call("accept", listener=listener.number)
        except TransportError as error:
            listener.failed = error
            raise
        if not said.body["ready"]:
            return None
        listener.accepted = True
        return PluginRecv(self._line(said.files[0]), self._max_message_bytes)

    def connect(self, device: int, handle: NetHandle) -> Any | None:
        if isinstance(handle.state, PluginComm):  # the same
            raise LocalProtocolError("a second connect", expected="one connection per handle")
        if isinstance(handle.state, TransportError):
            raise handle.state
        self.get_properties(device)
        handle.state = handle.state or next(self._numbers)
        try:
            said = self._control.call(
                "connect", device=device, dial=handle.state, handle=handle.raw.hex()
            )
        except TransportError as error:
            handle.state = error
            raise
        if not said.body["ready"]:
            return None
        handle.state = PluginSend(self._line(said.files[0]))
        return handle.state

    def reg_mr(self, comm: Any, buffer: Any, ptr_type: int) -> Any:
        if ptr_type not in (PTR_HOST, PTR_CUDA):
            raise LocalProtocolError(f"memory of type {ptr_type}", expected="host, 1, or CUDA, 2")
        if ptr_type == PTR_CUDA and isinstance(buffer, DeviceBuffer):
            return _as(PluginComm, comm).register(buffer, ptr_type)
        try:
            flat = np.frombuffer(buffer, np.uint8)
        except (TypeError, ValueError, BufferError) as error:
            raise LocalProtocolError(
                f"no flat buffer: {error}", expected="bytes in a row"
            ) from error
        if isinstance(comm, PluginRecv) and not flat.flags.writeable:
            raise LocalProtocolError("a read-only buffer", expected="one to receive into")
        return _as(PluginComm, comm).register(buffer, ptr_type)

    def dereg_mr(self, comm: Any, mr: Any) -> None:
        _as(PluginComm, comm).deregister(mr)

    def isend(self, comm: Any, mr: Any, offset: int, size_bytes: int, tag: int) -> Any:
        return _as(PluginSend, comm).post(mr, offset, size_bytes, tag)

    def irecv(self, comm: Any, mr: Any, offset: int, size_bytes: int, tag: int) -> Any:
        return _as(PluginRecv, comm).post(mr, offset, size_bytes, tag)

    def test(self, request: Any) -> Completion:
        posted: Request = request
        return posted.comm.test(posted)

    def wait(self, comm: Any, timeout_s: float) -> None:
        _as(PluginComm, comm).wait(timeout_s)

    def irecv_consumed(self, comm: Any, request: Any) -> None:
        _as(PluginRecv, comm).consumed(request)

    def frame_bytes(self, comm: Any) -> int:
        return UNKNOWN_FRAMES

    def close_send(self, comm: Any) -> None:
        _as(PluginSend, comm).close()

    def close_recv(self, comm: Any) -> None:
        _as(PluginRecv, comm).close()

    def close_listen(self, listen_comm: Any) -> None:
        if not self._child.is_mourned:  # of a process that is gone nothing is left to close
            self._control.call("close_listen", listener=listen_comm.number)

    def _load(self, path: str) -> list[NetProperties]:
        said = self._control.hear(START_S)
        if why := said.body.get("unloadable"):
            raise PluginError(
                f"{path} cannot be loaded: {why}",
                expected="a shared object that exports ncclNetPlugin_v7",
            )
        said = self._control.call("init", timeout_s=START_S)
        return [_properties(found) for found in said.body["devices"]]

    def _line(self, file: int) -> Line:
        return Line(self._child, socket.socket(fileno=file), self._call_s)


def _environment(nics: Sequence[str], sockets: int) -> dict[str, str]:
    return {
        "NCCL_GPUDIRECTTCPX_SOCKET_IFNAME": "=" + ",".join(dict.fromkeys(nics)),
        "NCCL_NSOCKS_PERTHREAD": str(sockets),
        "NCCL_SOCKET_NTHREADS": "1",
        CHUNK_SIZE: os.environ.get(CHUNK_SIZE, str(CHUNK_BYTES)),
    }


def _properties(found: dict[str, Any]) -> NetProperties:
    if found.pop("code"):
        raise PluginError("getProperties failed for a device that the plugin counts")
    return NetProperties(**found)


def _as(kind: type[Any], comm: Any) -> Any:
    """The comm, if it is of the kind that the verb is for."""
    if not isinstance(comm, kind):
        raise LocalProtocolError(f"a {type(comm).__name__}", expected=f"a {kind.__name__}")
    return comm
