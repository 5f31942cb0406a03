"""The window exercise: what a channel holds, what it refuses, and whether a stall stays its own.

Part one posts straight through the verbs until a request is refused. Part two runs a transfer in
which the server does not finish channel 0's first chunk until every other channel is done.
"""

from __future__ import annotations

import threading
from typing import Any

from harness.errors import LocalProtocolError, StallError
from harness.evidence import Observed
from harness.roles.endpoint import ACK, Endpoint
from harness.tcpx.bootstrap import Connection
from harness.tcpx.channel_manager import Channel
from harness.tcpx.lane import Job
from harness.tcpx.sliding_window import SlidingWindow

PROBE_BYTES = 4096
STALLED = 0


def serve(endpoint: Endpoint, connection: Connection) -> None:
    """The server's side of both parts."""
    channels = _channels(endpoint)
    full = [_until_refused(endpoint, channel) for channel in channels]
    connection.send_exact(ACK, endpoint.left_s)
    for window in full:
        window.drain_all(endpoint.left_s)
    for channel in channels:
        _until_full(endpoint, channel, endpoint.plan.recv_window).drain_all(endpoint.left_s)
    _receive_with_a_stall(endpoint)
    connection.send_exact(ACK, endpoint.left_s)
    connection.recv_exact(1, endpoint.left_s)


def connect(endpoint: Endpoint, connection: Connection) -> None:
    """The client's side of both parts."""
    plan = endpoint.plan
    connection.recv_exact(1, endpoint.left_s)  # the server's receives are posted
    for channel in _channels(endpoint):
        _until_refused(endpoint, channel).drain_all(endpoint.left_s)
    for channel in _channels(endpoint):
        _until_full(endpoint, channel, plan.send_window).drain_all(endpoint.left_s)
        for _ in range(plan.recv_window - plan.send_window):
            _post_one(endpoint, channel).drain_all(endpoint.left_s)
    transfer = endpoint.session.create_transfer("server", deadline_s=endpoint.left_s)
    for chunk in range(plan.chunks):
        mem_id, offset = endpoint.place(chunk)
        transfer.post_send(mem_id, offset, plan.chunk_size(chunk), chunk)
    transfer.wait(endpoint.left_s)
    connection.recv_exact(1, endpoint.left_s)
    connection.send_exact(ACK, endpoint.left_s)
    transfer.release()


def _channels(endpoint: Endpoint) -> list[Channel]:
    return [endpoint.session.manager.get_channel(i) for i in range(endpoint.plan.channels)]


def _post(endpoint: Endpoint, channel: Channel) -> Any:
    verb = endpoint.net.irecv if endpoint.is_recv else endpoint.net.isend
    mem_id, _ = endpoint.place(0)
    size_bytes = min(PROBE_BYTES, endpoint.plan.chunk_size(0))
    return verb(channel.comm, channel.mrs[mem_id], 0, size_bytes, 0)


def _window(endpoint: Endpoint, channel: Channel, limit: int) -> SlidingWindow:
    return SlidingWindow(endpoint.net, channel.comm, limit, is_recv=endpoint.is_recv)


def _until_refused(endpoint: Endpoint, channel: Channel) -> SlidingWindow:
    """Post until the plugin refuses; say how many it took and what it said."""
    window = _window(endpoint, channel, 16)
    try:
        while True:
            window.add_request(_post(endpoint, channel), None)
    except LocalProtocolError as error:
        refusal = str(error)
    word = "recv" if endpoint.is_recv else "send"
    _say(endpoint, channel, f"{word}_posted", window.size())
    _say(endpoint, channel, f"{word}_refused", 1, refusal)
    return window


def _until_full(endpoint: Endpoint, channel: Channel, limit: int) -> SlidingWindow:
    """Fill a sliding window; say how many it holds."""
    window = _window(endpoint, channel, limit)
    while not window.is_full():
        window.add_request(_post(endpoint, channel), None)
    _say(endpoint, channel, "recv_window" if endpoint.is_recv else "send_window", window.size())
    return window


def _post_one(endpoint: Endpoint, channel: Channel) -> SlidingWindow:
    window = _window(endpoint, channel, 1)
    window.add_request(_post(endpoint, channel), None)
    return window


def _receive_with_a_stall(endpoint: Endpoint) -> None:
    """Receive a whole plan while one channel is held until all others are done."""
    plan = endpoint.plan
    others = Others(plan.chunks - plan.channel_chunks(STALLED))

    def on_chunk(channel: int, job: Job, landed: Any) -> None:
        if channel == STALLED:
            others.wait(endpoint.left_s)
        else:
            others.one_more()

    intakes = [endpoint.buffers.intake(plan.chunk_bytes) for _ in range(plan.channels)]

    def unpack(channel: int, job: Job, descriptors: Any, bounce: Any, view: Any) -> Any:
        return intakes[channel].unpack(descriptors, bounce, view, 0, None)

    transfer = endpoint.session.create_transfer(
        "client", on_chunk, deadline_s=endpoint.left_s, unpack=unpack
    )
    for chunk in range(plan.chunks):
        mem_id, offset = endpoint.place(chunk)
        transfer.post_recv(mem_id, offset, plan.chunk_size(chunk), chunk)
    transfer.wait(endpoint.left_s)
    transfer.release()
    stalled = endpoint.session.manager.get_channel(STALLED)
    _say(endpoint, stalled, "others_progressed", others.done, f"of {others.total}")


class Others:
    """How many chunks the channels that are not stalled have finished."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0
        self._changed = threading.Condition()

    def one_more(self) -> None:
        with self._changed:
            self.done += 1
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> None:
        """Until all are done; the stall is planted here and nowhere else."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.done >= self.total, timeout_s):
                raise StallError(
                    f"while channel {STALLED} was held, the others did {self.done} chunks",
                    channel=STALLED,
                    expected=f"{self.total} in {timeout_s:.1f} s",
                )


def _say(endpoint: Endpoint, channel: Channel, subject: str, value: int, detail: str = "") -> None:
    endpoint.voice.record(
        Observed(
            node=endpoint.assignment.node,
            role=endpoint.assignment.role,
            subject=subject,
            value=value,
            detail=detail,
            channel=channel.channel_id,
        )
    )
