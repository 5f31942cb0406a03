"""One comm on the plugin's side: registrations, and requests in the order of posting.

The rules of the plugin are kept here once more, because breaking one of them ends the process: only
the oldest request is tested, never again after done, and nothing after an error but the close. What
cannot be answered yet is asked again by the worker's loop: the answer is then a function that says
None for "not yet".
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from ctypes import byref, c_int, c_void_p
from dataclasses import dataclass
from typing import Any

from harness.tcpx.net.nccl_net.abi import SUCCESS, DeviceStorage, Table
from harness.tcpx.net.nccl_net.mapping import Mapping
from harness.tcpx.net.nccl_net.metadata import Metadata
from harness.tcpx.net.nccl_net.wire import Message

PTR_CUDA = 2
UNTOLD = -1  # what `sizes` holds unless the plugin says a size

Answer = Callable[[], Message | None]


@dataclass(frozen=True, slots=True)
class Mr:
    """A registration: memory of the role, mapped here."""

    mapping: Mapping
    handle: c_void_p
    ptr_type: int


@dataclass(frozen=True, slots=True)
class Request:
    """One that the plugin holds; `number` counts the comm's requests."""

    pointer: c_void_p
    number: int
    is_scattered: bool


class Flow:
    """A sending or a receiving comm."""

    def __init__(
        self, table: Table, comm: c_void_p, device: DeviceStorage, *, is_recv: bool
    ) -> None:
        self._table, self._comm, self._device, self._is_recv = table, comm, device, is_recv
        self._mrs: dict[int, Mr] = {}
        self._queue: deque[Request] = deque()
        self._done: deque[Request] = deque()  # and not consumed: receives only
        self._posted = 0
        self._failed: Message | None = None
        self._closed: Message | None = None

    def hear(self, message: Message) -> Answer:
        """What answers the role's `message`."""
        body = message.body
        if body["verb"] == "close":
            return self.close
        if self._failed is not None:
            return lambda: self._failed
        if body["verb"] == "regMr":
            said = self._reg_mr(body, message.files[0])
            return lambda: said
        if body["verb"] == "test":
            until_s = time.monotonic() + body["timeout_s"]
            return lambda: self._test(until_s)
        verbs = {"post": self._post, "deregMr": self._dereg_mr}
        if body["verb"] in verbs:
            return lambda: verbs[body["verb"]](body)
        return self._consumed if body["verb"] == "irecvConsumed" else self._bounce

    def close(self) -> Message:
        """Only once, whoever asks."""
        if self._closed is None:
            verb = "closeRecv" if self._is_recv else "closeSend"
            self._closed = answer(verb, self._table.call(verb, self._comm))
        return self._closed

    def _reg_mr(self, body: dict[str, Any], file: int) -> Message:
        mapping, handle = Mapping(file, body["offset"], body["size"]), c_void_p()
        address, size, kind = c_void_p(mapping.address), body["size"], body["type"]
        code = self._table.call("regMr", self._comm, address, size, kind, byref(handle))
        if code == SUCCESS:
            self._mrs[body["mr"]] = Mr(mapping, handle, kind)
        return answer("regMr", code)

    def _dereg_mr(self, body: dict[str, Any]) -> Message:
        mr = self._mrs.pop(body["mr"])
        return answer("deregMr", self._table.call("deregMr", self._comm, mr.handle))

    def _post(self, body: dict[str, Any]) -> Message | None:
        """Not yet: a plugin may take no request before its peer is ready."""
        mr, request = self._mrs[body["mr"]], c_void_p()
        place = c_void_p(mr.mapping.address + body["offset"])
        verb = "irecv" if self._is_recv else "isend"
        arguments = (place, body["size"], body["tag"], mr.handle)
        if self._is_recv:
            code = self._table.call(verb, self._comm, *_lists(*arguments), byref(request))
        else:
            code = self._table.call(verb, self._comm, *arguments, byref(request))
        if code != SUCCESS:
            return self._refused(verb, code)
        if not request.value:
            return None
        scattered = self._is_recv and mr.ptr_type == PTR_CUDA
        self._queue.append(Request(request, self._posted, scattered))
        self._posted += 1
        return answer(verb, code)

    def _test(self, until_s: float) -> Message | None:
        """Whether the oldest request is done; not yet, as long as there is time."""
        head, done, size = self._queue[0], c_int(0), c_int(UNTOLD)
        code = self._table.call("test", head.pointer, byref(done), byref(size))
        if code != SUCCESS:
            return self._refused("test", code)
        if not done.value:
            return Message({"done": False}) if time.monotonic() >= until_s else None
        self._queue.popleft()
        if self._is_recv:
            self._done.append(head)
        return Message({"done": True, "size": size.value}, self._descriptors(head))

    def _descriptors(self, request: Request) -> bytes:
        if not request.is_scattered:
            return b""
        return Metadata(self._device.handle).descriptors(request.number)

    def _consumed(self) -> Message:
        request = self._done.popleft()
        if not self._table.has("irecvConsumed"):
            return answer("irecvConsumed", SUCCESS)
        code = self._table.call("irecvConsumed", self._comm, 1, request.pointer)
        return answer("irecvConsumed", code)

    def _bounce(self) -> Message:
        file, offset, size = Metadata(self._device.handle).bounce()
        return Message({"offset": offset, "size": size}, files=[os.dup(file)])

    def _refused(self, verb: str, code: int) -> Message:
        self._failed = answer(verb, code)
        return self._failed


def answer(verb: str, code: int, **body: Any) -> Message:
    """What the role is told of a verb's code."""
    return Message({"verb": verb, "code": code, **body})


def _lists(place: c_void_p, size: int, tag: int, mr: c_void_p) -> tuple[Any, ...]:
    """A receive's arguments: lists of one, as the verb takes several."""
    one = c_void_p * 1
    return 1, one(place), (c_int * 1)(size), (c_int * 1)(tag), one(mr)
