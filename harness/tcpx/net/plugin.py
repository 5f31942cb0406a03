"""The verbs of ncclNet, as a Protocol: signatures only.

Names and meaning are the plugin's. None of the verbs blocks. `connect` and `accept` say None for
"not yet: call again"; `isend` and `irecv` raise LocalProtocolError for the 17th request; `test` may
only be asked of a comm's oldest unfinished request and drives the whole comm's progress; a send's
slot is free once `test` said done, a receive's only after `irecv_consumed`, which is FIFO. Pairing
of sends and receives is FIFO per comm; tags are ignored. One thread per comm makes all its calls.

Three additions. `wait` blocks until the comm may have progressed, so that a thread per channel
needs no polling; it promises nothing about completion. `frame_bytes` says what a comm has put
around the payload, in the payload's direction, so that a ledger can be exact; where that cannot be
known it says UNKNOWN_FRAMES. `sends_ahead` is how many sends of one comm are worth having in
flight; more only let their data grow cold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

HANDLE_BYTES = 128
MAX_REQUESTS = 16  # a comm
PAGE_BYTES = 4096
MAX_DESCRIPTORS = 2048  # a request
PTR_HOST = 1
PTR_CUDA = 2
UNKNOWN_FRAMES = -1  # what `frame_bytes` says where only the plugin knows


@dataclass(frozen=True, slots=True, kw_only=True)
class NetProperties:
    """What `get_properties` says of a device. Speed in Mbit/s, 0 unknown."""

    name: str
    pci_path: str = ""
    guid: int = 0
    ptr_support: int = PTR_HOST
    speed_mbit_s: int = 0
    port: int = 0
    latency_us: float = 0.0
    max_comms: int = 65536
    max_recvs: int = 1


@dataclass(slots=True, kw_only=True)
class NetHandle:
    """128 bytes for the peer, first the sockaddr; `state` is the connecting side's own."""

    raw: bytes
    state: Any = field(default=None, repr=False)


class Completion(NamedTuple):
    """What `test` says. `descriptors` (receive only) is an array of unpack.descriptor.DTYPE."""

    done: bool
    size_bytes: int = 0
    descriptors: Any = None
    bounce: Any = None  # the comm's bounce buffer, a flat uint8 array


class Landing(Protocol):
    """Bytes that a device is moving to where they belong."""

    def is_down(self, timeout_s: float) -> bool:
        """Whether they are there, after waiting for them at most so long."""


@runtime_checkable
class DeviceBuffer(Protocol):
    """Memory of a device, as PTR_CUDA registers it. Its copies are in the order of the caller's
    thread, so what that thread has written to the buffer before is what is read. Another process
    can open the whole allocation that it is of, and share memory of its own in the same way."""

    def __len__(self) -> int: ...

    def read(self, offset: int, into: NDArray[np.uint8]) -> Landing:
        """Begin to copy bytes from `offset` on into pinned host memory."""

    def pin(self, array: NDArray[np.uint8]) -> Callable[[], None]:
        """Let the device reach host memory, until the answer is called. For the process that owns
        the device, before it forks."""

    def written(self) -> Landing:
        """What the caller's thread has had written so far, for those that read by themselves."""

    def share(self) -> tuple[bytes, int]:
        """The handle that opens the allocation, and where in it the buffer begins."""

    def adopt(
        self, handle: bytes, offset: int, size_bytes: int
    ) -> tuple[DeviceBuffer, Callable[[], None]]:
        """Memory of the same device that another process shares, to be unpacked from, and how to
        let it go when no order can mean it any more."""


class NetPlugin(Protocol):
    """An implementation of the transport's network side. Comms, requests, mrs are opaque."""

    sends_ahead: int

    def devices(self) -> int: ...

    def get_properties(self, device: int) -> NetProperties: ...

    def listen(self, device: int) -> tuple[NetHandle, Any]: ...

    def connect(self, device: int, handle: NetHandle) -> Any | None: ...

    def accept(self, listen_comm: Any) -> Any | None: ...

    def reg_mr(self, comm: Any, buffer: Any, ptr_type: int) -> Any: ...

    def dereg_mr(self, comm: Any, mr: Any) -> None: ...

    def isend(self, comm: Any, mr: Any, offset: int, size_bytes: int, tag: int) -> Any: ...

    def irecv(self, comm: Any, mr: Any, offset: int, size_bytes: int, tag: int) -> Any: ...

    def test(self, request: Any) -> Completion: ...

    def wait(self, comm: Any, timeout_s: float) -> None: ...

    def irecv_consumed(self, comm: Any, request: Any) -> None: ...

    def frame_bytes(self, comm: Any) -> int: ...

    def close_send(self, comm: Any) -> None: ...

    def close_recv(self, comm: Any) -> None: ...

    def close_listen(self, listen_comm: Any) -> None: ...
