"""A line gives the answer, or the reason why there is none, in time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.errors import PeerGoneError, PluginCrashError, PluginError, StallError, TransportError
from harness.tcpx.net.nccl_net import wire
from harness.tcpx.net.nccl_net.line import Line
from harness.tcpx.net.nccl_net.wire import Message

Answered = Callable[[Message], Line]


class Dead:
    """Stands in for the plugin's process; what it says of its own is in the tests of net.py."""

    verb = "accept"
    last_words = "; its last words: WARN NET: oh"

    def death(self) -> PluginError:
        return PluginCrashError("the plugin's process exited with 1")


@pytest.fixture
def ends() -> Iterator[tuple[Line, socket.socket]]:
    ours, theirs = wire.pair()
    child: Any = Dead()
    with ours, theirs:
        yield Line(child, ours, call_s=0.05), theirs


def answered(ends: tuple[Line, socket.socket], *said: Message) -> Line:
    """The line, with somebody at its other end who answers so."""
    line, theirs = ends

    def answer() -> None:
        for message in said:
            wire.receive(theirs)
            wire.send(theirs, message)

    threading.Thread(target=answer, daemon=True).start()
    return line


def test_an_answer_comes_back_with_its_bytes(ends: tuple[Line, socket.socket]) -> None:
    line = answered(ends, Message({"code": 0, "done": True}, b"descriptors"))
    said = line.call("test", timeout_s=1.0)
    assert (said.body["done"], said.data) == (True, b"descriptors")


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ({"verb": "init", "code": 3}, PluginError, r"init answered ncclInternalError \(3\); its"),
        ({"verb": "listen", "code": 2}, PluginError, r"listen answered ncclSystemError \(2\)"),
        ({"verb": "test", "code": 2}, PeerGoneError, "the peer closed the connection, or a socket"),
        ({"verb": "isend", "code": 6}, PeerGoneError, r"isend answered ncclRemoteError \(6\)"),
        ({"unreadable": "0x1000"}, PluginError, "metadata cannot be read: 0x1000"),
    ],
)
def test_a_refusal_is_an_error_and_the_line_goes_on(
    ends: tuple[Line, socket.socket], said: dict[str, Any], kind: type[TransportError], words: str
) -> None:
    line = answered(ends, Message(said), Message({"code": 0}))
    with pytest.raises(kind, match=words) as caught:
        line.call("whatever", timeout_s=1.0)
    assert type(caught.value) is kind
    line.call("whatever", timeout_s=1.0)


def test_silence_ends_in_time_and_for_good(ends: tuple[Line, socket.socket]) -> None:
    line, theirs = ends
    started_s = time.monotonic()
    with pytest.raises(StallError, match=r"did not return from accept in 0\.15 s; its last words"):
        line.call("listen", timeout_s=0.1)
    assert time.monotonic() - started_s < 1.0
    wire.send(theirs, Message({"code": 0}))  # too late to be anybody's answer
    with pytest.raises(StallError):
        line.call("listen")


def test_a_closed_end_is_told_as_the_death_that_it_is(ends: tuple[Line, socket.socket]) -> None:
    line, theirs = ends
    theirs.close()
    for _ in range(2):
        with pytest.raises(PluginCrashError, match="exited with 1"):
            line.call("test")
