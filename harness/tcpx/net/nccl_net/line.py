"""The role's end of one socket to the plugin's process: a verb out, its answer back, in time.

A line that fell silent stays so: an answer that comes too late would be taken for the next one's.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from harness.errors import (
    CudaError,
    HarnessError,
    PeerGoneError,
    PluginError,
    StallError,
    TransportError,
)
from harness.tcpx.net.nccl_net.abi import REMOTE_ERROR, SUCCESS, SYSTEM_ERROR, result_name
from harness.tcpx.net.nccl_net.child import Child
from harness.tcpx.net.nccl_net.wire import Gone, Message, receive, send

CALL_S = 10.0  # that a verb may take, which never waits for the peer
OF_THE_PEER = ("isend", "irecv", "test")


class Line:
    """For one thread at a time."""

    def __init__(self, child: Child, sock: socket.socket, call_s: float = CALL_S) -> None:
        self.child, self.call_s = child, call_s
        self._sock = sock
        self._failed: TransportError | None = None

    def call(
        self, verb: str, *, files: Sequence[int] = (), timeout_s: float = 0.0, **body: Any
    ) -> Message:
        """The answer to `verb`, which the plugin's process has within `timeout_s` or soon after."""
        if self._failed:
            raise self._failed
        asked = Message({"verb": verb, "timeout_s": timeout_s, "first": [], **body}, files=files)
        try:
            said = self._talk(asked, timeout_s + self.call_s)
        except TransportError as error:
            self._failed = error
            raise
        if refused := self._refusal(said):
            raise refused
        return said

    def hear(self, timeout_s: float) -> Message:
        """What the process says unasked: that it has loaded the plugin."""
        said = self._talk(None, timeout_s)
        if refused := self._refusal(said):
            raise refused
        return said

    def close(self) -> None:
        self._sock.close()

    def _talk(self, asked: Message | None, timeout_s: float) -> Message:
        self._sock.settimeout(timeout_s)
        try:
            if asked is not None:
                send(self._sock, asked)
            return receive(self._sock)
        except Gone:
            raise self.child.death() from None
        except TimeoutError as error:
            verb = self.child.verb or (asked.body["verb"] if asked else "loading")
            raise StallError(
                f"the plugin did not return from {verb} in {timeout_s:g} s{self.child.last_words}",
                expected="verbs that do not wait",
            ) from error

    def _refusal(self, said: Message) -> HarnessError | None:
        """What is wrong with an answer."""
        if why := said.body.get("no_gpu"):
            return CudaError(f"in the plugin's process {why}")
        if why := said.body.get("unreadable"):
            return PluginError(f"the plugin's metadata cannot be read: {why}")
        code, verb = said.body.get("code", SUCCESS), said.body.get("verb", "")
        if code == SUCCESS:
            return None
        told = f"{verb} answered {result_name(code)}{self.child.last_words}"
        if verb in OF_THE_PEER and code in (SYSTEM_ERROR, REMOTE_ERROR):
            return PeerGoneError(f"the peer closed the connection, or a socket failed: {told}")
        return PluginError(told, expected=result_name(SUCCESS))
