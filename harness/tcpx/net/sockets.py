"""The verbs over plain TCP sockets, one comm a channel, each bound to its NIC.

Same limits and same meaning as the real plugin, down to the numbering of devices: sorted by name,
not in the order of the list, so that a channel's NIC must be resolved by name here too.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from harness.errors import LocalProtocolError, StallError, TransportError
from harness.tcpx.net import interface
from harness.tcpx.net.comm import Comm, DeviceMr, Mr, RecvComm, Request, SendComm
from harness.tcpx.net.handle import Listening
from harness.tcpx.net.plugin import (
    MAX_DESCRIPTORS,
    PAGE_BYTES,
    PTR_CUDA,
    PTR_HOST,
    Completion,
    NetHandle,
    NetProperties,
)
from harness.tcpx.net.rendezvous import Dial, Listener
from harness.tcpx.net.stream import Counts
from harness.tcpx.net.tcp_info import SocketInfo

MAX_MESSAGE_BYTES = MAX_DESCRIPTORS * PAGE_BYTES
_ACK_POLL_S = 0.001


class Sockets:
    """A NetPlugin. `addresses` overrides what the kernel says of a NIC's address, `sends_ahead` is
    for a device's memory: `wait` copies a whole send of the host's into the kernel, which keeps
    the wire busy, but a device's bytes come to the host while earlier ones are sent."""

    def __init__(
        self,
        nics: Sequence[str],
        *,
        sockets_per_channel: int = 1,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        addresses: Mapping[str, str] | None = None,
        sends_ahead: int = 1,
    ) -> None:
        if not 1 <= max_message_bytes <= MAX_MESSAGE_BYTES:
            raise LocalProtocolError(
                f"messages of {max_message_bytes} bytes", expected=f"1..{MAX_MESSAGE_BYTES}"
            )
        self._names = sorted(set(nics))
        self._sockets_per_channel = sockets_per_channel
        self._max_message_bytes = max_message_bytes
        self._addresses = dict(addresses or {})
        self.sends_ahead = sends_ahead
        self._seeds = count()

    def devices(self) -> int:
        return len(self._names)

    def get_properties(self, device: int) -> NetProperties:
        name = self._name(device)
        return NetProperties(
            name=name,
            guid=device,
            pci_path=interface.pci_path(name),
            speed_mbit_s=interface.speed_mbit_s(name),
            ptr_support=PTR_HOST | PTR_CUDA,
        )

    def listen(self, device: int) -> tuple[NetHandle, Any]:
        nic = self._name(device)
        listener = Listener(nic, self._address(nic), self._sockets_per_channel)
        return listener.where.to_handle(), listener

    def accept(self, listen_comm: Any) -> Any | None:
        listener: Listener = listen_comm
        if listener.accepted:
            raise LocalProtocolError("a second accept", expected="one connection per listen comm")
        streams = listener.ready()
        if streams is None:
            return None
        return RecvComm(streams, self._max_message_bytes, next(self._seeds))

    def connect(self, device: int, handle: NetHandle) -> Any | None:
        if isinstance(handle.state, Comm):
            raise LocalProtocolError("a second connect", expected="one connection per handle")
        if handle.state is None:
            handle.state = self._dial(self._name(device), handle)
        dials: list[Dial] = handle.state
        try:
            ready = [dial.ready() for dial in dials]  # each has to greet before any is answered
        except TransportError:
            _close(dials)
            raise
        if not all(ready):
            return None
        streams = [dial.stream() for dial in dials]
        handle.state = SendComm(streams, self._max_message_bytes)
        return handle.state

    def reg_mr(self, comm: Any, buffer: Any, ptr_type: int) -> Any:
        if ptr_type == PTR_CUDA:
            _as(Comm, comm).serve(buffer)
            return DeviceMr(buffer)
        if ptr_type != PTR_HOST:
            raise LocalProtocolError(
                f"memory of type {ptr_type}", expected=f"host, {PTR_HOST}, or CUDA, {PTR_CUDA}"
            )
        try:
            mr = Mr(buffer)
        except (TypeError, ValueError, BufferError) as error:
            raise LocalProtocolError(
                f"no flat buffer: {error}", expected="bytes in a row"
            ) from error
        if isinstance(comm, RecvComm) and not mr.array.flags.writeable:
            raise LocalProtocolError("a read-only buffer", expected="one to receive into")
        return mr

    def dereg_mr(self, comm: Any, mr: Any) -> None:
        """Nothing to undo: host memory needs no pinning here."""

    def isend(self, comm: Any, mr: Any, offset: int, size_bytes: int, tag: int) -> Any:
        if not isinstance(comm, SendComm):
            raise _not_a(SendComm, comm)
        return comm.post(mr, offset, size_bytes, tag)

    def irecv(self, comm: Any, mr: Any, offset: int, size_bytes: int, tag: int) -> Any:
        if not isinstance(comm, RecvComm):
            raise _not_a(RecvComm, comm)
        return comm.post(mr, offset, size_bytes, tag)

    def test(self, request: Any) -> Completion:
        posted: Request = request
        return posted.comm.test(posted)

    def wait(self, comm: Any, timeout_s: float) -> None:
        if not isinstance(comm, Comm):
            raise _not_a(Comm, comm)
        comm.wait(timeout_s)

    def irecv_consumed(self, comm: Any, request: Any) -> None:
        if not isinstance(comm, RecvComm):
            raise _not_a(RecvComm, comm)
        comm.consumed(request)

    def frame_bytes(self, comm: Any) -> int:
        return sum(counts.frame_bytes for counts in self.counts_of(comm))

    def close_send(self, comm: Any) -> None:
        _as(SendComm, comm).close()

    def close_recv(self, comm: Any) -> None:
        _as(RecvComm, comm).close()

    def close_listen(self, listen_comm: Any) -> None:
        listener: Listener = listen_comm
        listener.close()

    def sockets_of(self, comm: Any) -> list[SocketInfo]:
        """What the kernel says of the comm's sockets; to be asked before they are closed."""
        return [stream.info() for stream in _as(Comm, comm).streams]

    def counts_of(self, comm: Any) -> list[Counts]:
        """What the comm says it carried, a socket each, in the order of `sockets_of`."""
        return [stream.counts() for stream in _as(Comm, comm).streams]

    def wait_acked(self, comm: Any, timeout_s: float) -> None:
        """Until the peer's kernel has everything; only then are the sender's counters final."""
        until_s = time.monotonic() + timeout_s
        while left := sum(stream.unacked_bytes() for stream in _as(Comm, comm).streams):
            if time.monotonic() > until_s:
                raise StallError(
                    f"{left} bytes are not acknowledged after {timeout_s:g} s", expected="none"
                )
            time.sleep(_ACK_POLL_S)

    def _name(self, device: int) -> str:
        if not 0 <= device < len(self._names):
            raise LocalProtocolError(
                f"device {device}", expected=f"0..{len(self._names) - 1} ({', '.join(self._names)})"
            )
        return self._names[device]

    def _address(self, nic: str) -> str:
        interface.require_up(nic)
        return self._addresses.get(nic) or interface.address_of(nic)

    def _dial(self, nic: str, handle: NetHandle) -> list[Dial]:
        peer, address = Listening.from_handle(handle), self._address(nic)
        dials: list[Dial] = []
        try:
            dials.extend(Dial(nic, address, index, peer) for index in range(peer.sockets))
        except TransportError:
            _close(dials)
            raise
        return dials


def _close(dials: Sequence[Dial]) -> None:
    for dial in dials:
        dial.close()


def _as(kind: type[Any], comm: Any) -> Any:
    """The comm, if it is of the kind that the verb is for."""
    if not isinstance(comm, kind):
        raise _not_a(kind, comm)
    return comm


def _not_a(kind: type[Any], comm: Any) -> LocalProtocolError:
    """What a verb for another kind of comm says; those of the data path ask for themselves."""
    return LocalProtocolError(f"a {type(comm).__name__}", expected=f"a {kind.__name__}")
