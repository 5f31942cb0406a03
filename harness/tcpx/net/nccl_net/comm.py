"""The role's view of the plugin's comms: the same rules as over sockets, asked of the process.

Sizes are what both sides agreed on by posting them; what the plugin says of them is believed only
when it contradicts. The comm's first failure is its last word, so that no `done` can follow it.

A message to the plugin's process costs more than what it says. Nothing moves outside of `test`, so
requests and pages given back travel in front of the next one, and fail there if they do.
"""

from __future__ import annotations

import time
from itertools import count
from typing import Any

from harness.errors import LocalProtocolError, RemoteProtocolError, TransportError
from harness.tcpx.device.silence import DEVICE_S, refuse_silence
from harness.tcpx.memory import shared_file
from harness.tcpx.net.comm import Comm, DeviceMr, Mr, Request
from harness.tcpx.net.nccl_net.line import Line
from harness.tcpx.net.nccl_net.target import Pages, Slots, Target
from harness.tcpx.net.nccl_net.wire import Message
from harness.tcpx.net.plugin import PTR_CUDA, PTR_HOST, Completion, DeviceBuffer, Landing

UNTOLD = -1  # a size that the plugin did not say


class PluginMr(Mr):
    """A registered buffer and the number that the plugin's process knows it by."""

    __slots__ = ("number", "ptr_type")

    def __init__(self, buffer: Any, number: int, ptr_type: int) -> None:
        super().__init__(buffer)
        self.number, self.ptr_type = number, ptr_type

    def where(self) -> tuple[list[int], dict[str, Any]]:
        """What the plugin's process maps it by: files, and words."""
        file, offset = shared_file(self.array)
        return [file], {"offset": offset}


class PluginDeviceMr(DeviceMr):
    """The same, of a device's memory."""

    __slots__ = ("number", "ptr_type")

    def __init__(self, buffer: DeviceBuffer, number: int) -> None:
        super().__init__(buffer)
        self.number, self.ptr_type = number, PTR_CUDA

    def where(self) -> tuple[list[int], dict[str, Any]]:
        handle, offset = self.buffer.share()
        return [], {"handle": handle.hex(), "offset": offset}


AnyMr = PluginMr | PluginDeviceMr


class PluginComm(Comm):
    """What both kinds share. `line` is the comm's own."""

    def __init__(self, line: Line) -> None:
        super().__init__(())
        self._line = line
        self._numbers = count(1)
        self._closed = False
        self._unsaid: list[dict[str, Any]] = []  # to the plugin's process

    def register(self, buffer: Any, ptr_type: int) -> AnyMr:
        """`buffer` is memory of the host, also where it stands in for a device's, or a device's."""
        number = next(self._numbers)
        is_device = isinstance(buffer, DeviceBuffer)
        mr: AnyMr
        mr = PluginDeviceMr(buffer, number) if is_device else PluginMr(buffer, number, ptr_type)
        self._register(mr)
        return mr

    def deregister(self, mr: AnyMr) -> None:
        self._call("deregMr", mr=mr.number)

    def post(self, mr: Any, offset: int, size_bytes: int, tag: int) -> Request:
        request = super().post(mr, offset, size_bytes, tag)
        number, start = self._place(request)
        post = {"verb": "post", "mr": number, "offset": start, "size": size_bytes, "tag": tag}
        self._unsaid.append(post)
        return request

    def close(self) -> None:
        """A second time does nothing; nobody complains of the same trouble again."""
        if self._closed:
            return
        told = self._failed is not None or self._line.child.is_mourned
        self._closed = True
        try:
            super().close()  # what is the plugin's must be let go before it frees it
            self._call("close")
        except TransportError:
            if not told:
                raise
        finally:
            self._line.close()

    def _call(self, verb: str, **body: Any) -> Message:
        """What is unsaid, and then `verb`."""
        first, self._unsaid = self._unsaid, []
        return self._line.call(verb, first=first, **body)

    def _register(self, mr: AnyMr) -> None:
        """Let the plugin have the memory, which its process can only map."""
        files, where = mr.where()
        self._line.call("regMr", files=files, mr=mr.number, size=mr.size, type=mr.ptr_type, **where)

    def _place(self, request: Request) -> tuple[int, int]:
        """Registration and offset that the plugin is told."""
        raise NotImplementedError

    def _progress(self, timeout_s: float | None) -> None:
        wait_s = timeout_s or 0.0
        said = self._call("test", timeout_s=wait_s)
        if said.body["done"]:
            request = self._queue[0]
            self._arrived(request, said.body["size"], said.data)
            request.moved = request.size_bytes

    def _arrived(self, request: Request, told: int, data: bytes) -> None:
        """Look at what the plugin says of a request that is done."""


class PluginSend(PluginComm):
    """Sends straight from the registered memory. What of a device's was written there by order must
    lie there first: the plugin knows of no orders."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._written: Landing | None = None  # of the youngest request; earlier ones lie there then

    def post(self, mr: Any, offset: int, size_bytes: int, tag: int) -> Request:
        request = super().post(mr, offset, size_bytes, tag)
        if isinstance(mr, DeviceMr):
            self._written = mr.buffer.written()
        return request

    def _call(self, verb: str, **body: Any) -> Message:
        written, self._written = self._written, None
        if written and verb != "close":
            since_s = time.monotonic()
            while not written.is_down(DEVICE_S):
                refuse_silence(since_s)
        return super()._call(verb, **body)

    def _place(self, request: Request) -> tuple[int, int]:
        assert isinstance(request.mr, AnyMr)
        return request.mr.number, request.offset

    def _complete(self, request: Request) -> Completion:
        return Completion(True, request.moved)


class PluginRecv(PluginComm):
    """Receives into whatever the kind of memory says (target.py)."""

    def __init__(self, line: Line, message_bytes: int) -> None:
        super().__init__(line)
        self._message_bytes = message_bytes
        self._targets: dict[int, Target] = {}  # by the kind of memory
        self._descriptors: dict[int, Any] = {}  # by the request's number, until it is told

    def post(self, mr: Any, offset: int, size_bytes: int, tag: int) -> Request:
        if size_bytes > self._message_bytes:
            raise LocalProtocolError(
                f"a receive of {size_bytes} bytes", expected=f"at most {self._message_bytes}"
            )
        return super().post(mr, offset, size_bytes, tag)

    def deregister(self, mr: AnyMr) -> None:
        if mr.ptr_type == PTR_CUDA:
            super().deregister(mr)

    def consumed(self, request: Request) -> None:
        """The message has been unpacked: its place may be used again."""
        if not self._done or self._done[0] is not request:
            raise LocalProtocolError(
                f"irecv_consumed called with invalid request {request.number}",
                expected="the oldest receive that is done and not consumed",
            )
        self._done.popleft()
        self._unsaid.append({"verb": "irecvConsumed"})
        self._target(request).free(request)

    def _register(self, mr: AnyMr) -> None:
        if mr.ptr_type == PTR_CUDA:
            super()._register(mr)
        if mr.ptr_type not in self._targets:
            host = mr.ptr_type == PTR_HOST
            self._targets[mr.ptr_type] = self._slots() if host else self._pages(mr)

    def _slots(self) -> Target:
        return Slots(self._line, self._message_bytes)

    def _pages(self, mr: AnyMr) -> Target:
        pages = Pages(self._line, mr.buffer if isinstance(mr, DeviceMr) else None)
        self._undo.append(pages.close)
        return pages

    def _place(self, request: Request) -> tuple[int, int]:
        return self._target(request).place(request)

    def _arrived(self, request: Request, told: int, data: bytes) -> None:
        if told not in (UNTOLD, request.size_bytes):
            raise RemoteProtocolError(
                f"the plugin says that {told} bytes came into a receive of {request.size_bytes}",
                expected=f"the {request.size_bytes} bytes that both sides agreed on",
            )
        self._descriptors[request.number] = self._target(request).arrived(request, data)

    def _target(self, request: Request) -> Target:
        assert isinstance(request.mr, AnyMr)
        return self._targets[request.mr.ptr_type]

    def _complete(self, request: Request) -> Completion:
        self._done.append(request)
        descriptors = self._descriptors.pop(request.number)
        return Completion(True, request.moved, descriptors, self._target(request).bounce)
