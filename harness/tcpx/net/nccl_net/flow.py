"""One comm on the plugin's side: registrations, and requests in the order of posting.

The rules of the plugin are kept here once more, because breaking one of them ends the process: only
the oldest request is tested, never again after done, and nothing after an error but the close. What
cannot be answered yet is asked again by the worker's loop: the answer is a function that says None
for "not yet". Requests and pages given back come in front of the next message that is answered.
"""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from ctypes import byref, c_int, c_void_p
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from harness.tcpx.net.nccl_net.abi import SUCCESS, DeviceStorage, Table
from harness.tcpx.net.nccl_net.gpu import Gpu, GpuError
from harness.tcpx.net.nccl_net.mapping import Mapping
from harness.tcpx.net.nccl_net.metadata import Metadata
from harness.tcpx.net.nccl_net.wire import Message

PTR_CUDA = 2
UNTOLD = -1  # what `sizes` holds unless the plugin says a size

Answer = Callable[[], Message | None]
Verb = Callable[[dict[str, Any]], Message | None]


class Place(Protocol):
    """Memory of the role, at `address` in this process until it is closed."""

    address: int

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Mr:
    """A registration."""

    place: Place
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
        self,
        table: Table,
        comm: c_void_p,
        device: DeviceStorage,
        gpu: Gpu | None = None,
        *,
        is_recv: bool,
    ) -> None:
        self._table, self._comm, self._device, self._is_recv = table, comm, device, is_recv
        self._gpu = gpu
        self._metadata: Metadata | None = None  # once memory of a device is registered
        self._mrs: dict[int, Mr] = {}
        self._queue: deque[Request] = deque()
        self._done: deque[Request] = deque()  # and not consumed: receives only
        self._posted = 0
        self._first: deque[dict[str, Any]] = deque()  # what nobody waits for, in order
        self._failed: Message | None = None
        self._closed: Message | None = None

    def hear(self, message: Message) -> Answer:
        """What answers the role's `message`; what it has in front comes first."""
        body = message.body
        self._first.extend(body["first"])
        if body["verb"] == "close":
            return self.close
        if body["verb"] == "regMr":
            said = self._failed or self._reg_mr(body, message.files)
            return lambda: said
        if body["verb"] == "test":
            return partial(self._in_turn, self._test, body, time.monotonic() + body["timeout_s"])
        verb = self._dereg_mr if body["verb"] == "deregMr" else self._bounce
        return partial(self._in_turn, verb, body, math.inf)

    def _in_turn(self, verb: Verb, body: dict[str, Any], until_s: float) -> Message | None:
        """Not yet, as long as there is time."""
        if self._failed is None and self._go_through_first():
            said = verb(body)
            if said is not None:
                return said
        if self._failed is not None:
            return self._failed
        return Message({"done": False}) if time.monotonic() >= until_s else None

    def _go_through_first(self) -> bool:
        """Whether all that was to come first has been done, without a refusal."""
        while self._first:
            body = self._first[0]
            said = self._post(body) if body["verb"] == "post" else self._consumed()
            if said is None or said.body["code"] != SUCCESS:
                return False
            self._first.popleft()
        return True

    def close(self) -> Message:
        """Only once, whoever asks. Pages are given back before, requests not made any more."""
        if self._closed is None:
            while self._first and self._failed is None:
                if self._first.popleft()["verb"] == "irecvConsumed":
                    self._consumed()
            verb = "closeRecv" if self._is_recv else "closeSend"
            self._closed = answer(verb, self._table.call(verb, self._comm))
            while self._mrs:
                self._mrs.popitem()[1].place.close()
        return self._closed

    def _reg_mr(self, body: dict[str, Any], files: Sequence[int]) -> Message:
        try:
            place = self._place(body, files)
        except GpuError as error:
            return Message({"no_gpu": f"the role's memory cannot be opened: {error}"})
        size, kind, handle = body["size"], body["type"], c_void_p()
        address = c_void_p(place.address)
        code = self._table.call("regMr", self._comm, address, size, kind, byref(handle))
        if code == SUCCESS:
            self._mrs[body["mr"]] = Mr(place, handle, kind)
        else:
            place.close()
        return answer("regMr", code)

    def _place(self, body: dict[str, Any], files: Sequence[int]) -> Place:
        if "handle" not in body:
            return Mapping(files[0], body["offset"], body["size"])
        if self._gpu is None:
            raise GpuError("this process was given no GPU")
        return self._gpu.open(bytes.fromhex(body["handle"]), body["offset"])

    def _dereg_mr(self, body: dict[str, Any]) -> Message:
        mr = self._mrs.pop(body["mr"])
        code = self._table.call("deregMr", self._comm, mr.handle)
        mr.place.close()
        return answer("deregMr", code)

    def _post(self, body: dict[str, Any]) -> Message | None:
        """Not yet: a plugin may take no request before its peer is ready."""
        mr, request = self._mrs[body["mr"]], c_void_p()
        place = c_void_p(mr.place.address + body["offset"])
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

    def _test(self, body: dict[str, Any]) -> Message | None:
        """Once the oldest request is done."""
        head, done, size = self._queue[0], c_int(0), c_int(UNTOLD)
        code = self._table.call("test", head.pointer, byref(done), byref(size))
        if code != SUCCESS:
            return self._refused("test", code)
        if not done.value:
            return None
        self._queue.popleft()
        if self._is_recv:
            self._done.append(head)
        return Message({"done": True, "size": size.value}, self._descriptors(head))

    def _descriptors(self, request: Request) -> bytes:
        if not request.is_scattered or self._metadata is None:
            return b""
        return self._metadata.descriptors(request.number)

    def _consumed(self) -> Message:
        request = self._done.popleft()
        if not self._table.has("irecvConsumed"):
            return answer("irecvConsumed", SUCCESS)
        code = self._table.call("irecvConsumed", self._comm, 1, request.pointer)
        return self._refused("irecvConsumed", code) if code else answer("irecvConsumed", code)

    def _bounce(self, body: dict[str, Any]) -> Message:
        metadata = self._metadata = Metadata(self._device.handle, self._gpu)
        if shared := metadata.shared_bounce():
            handle, offset, size = shared
            return Message({"handle": handle.hex(), "offset": offset, "size": size})
        file, offset, size = metadata.bounce()
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
