"""What server and client have in common: a net, a session, one buffer, and the same last words.

The planted faults that concern NICs are committed here: they must be the same on both sides.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np

from harness.evidence import ChannelDone, ChannelMapped, ChannelSockets, IterationDone
from harness.plan import Assignment, Fault, Plan
from harness.roles import crew
from harness.roles.busy import Busy
from harness.roles.carrier import carrier_of
from harness.roles.iterations import Iteration
from harness.roles.voice import Voice
from harness.tcpx import payload
from harness.tcpx.buffers import Buffers, HostBuffers
from harness.tcpx.lane import Job
from harness.tcpx.memory import host_buffer
from harness.tcpx.net.plugin import MAX_DESCRIPTORS
from harness.tcpx.session import Session

ACK = b"K"
PRESENCE_S = 0.35  # on a GPU: two looks of the observer at least, so that even a byte has a witness


class Work(Protocol):
    """What a role does in a transfer; `totals` is one ChannelDone a channel when it has run."""

    totals: list[ChannelDone]

    def run(self) -> None: ...


class Endpoint:
    """One role's end of the transport, made from its assignment."""

    def __init__(self, assignment: Assignment, voice: Voice) -> None:
        plan = assignment.plan
        self.assignment, self.plan, self.voice = assignment, plan, voice
        self.nics = _nics(assignment)
        self.buffers = buffers_of(assignment)  # a GPU's first start can take longer than a transfer
        self.deadline_s = time.monotonic() + plan.deadline_s  # loading a plugin counts
        self.carrier = carrier_of(
            assignment, tuple(dict.fromkeys(self.nics)), voice, self.buffers.sends_ahead
        )
        self.net = self.carrier.net
        self.is_recv = assignment.role == "server"
        self.session = Session(
            self.net,
            gpu=plan.gpu,
            channels=plan.channels,
            nics=self.nics,
            recv_window=plan.receives_ahead,
            send_window=plan.send_window,
            say=voice.say,
        )
        self.crew_size = crew.size_of(plan)  # asked once: cores may come and go
        shared = self.crew_size > 1 or self.carrier.shares_memory
        self.buffer = self.buffers.make(plan.size_bytes, shared=shared)
        # Payload so far, a channel each, for people who watch.
        self.moved = host_buffer(8 * plan.channels, shared=shared).view(np.int64)
        voice.live(lambda: int(self.moved.sum()), plan.total_bytes)
        self._pieces: list[tuple[int, int]] = []  # mem_id, offset of its first byte
        self._there_s = time.monotonic()

    @property
    def left_s(self) -> float:
        """What is left of the exchange's deadline."""
        return max(self.deadline_s - time.monotonic(), 0.001)

    def close(self) -> None:
        """Nothing of the transport stays behind, whatever state it is in; a GPU is not left before
        the observer can have seen who was on it."""
        self.carrier.close()
        if self.plan.is_on_gpus:
            time.sleep(max(self._there_s + PRESENCE_S - time.monotonic(), 0.0))

    def register(self) -> None:
        """Register the buffer in at most as many pieces as the plan says, cut between chunks."""
        plan = self.plan
        step = plan.piece_bytes
        for start in range(0, plan.size_bytes, step):
            piece = self.buffer[start : start + step]
            mem_id = self.session.register_memory(
                piece, is_recv=self.is_recv, ptr_type=self.buffers.ptr_type
            )
            self._pieces.append((mem_id, start))
        self._step = step

    def chunk_view(self, chunk: int) -> Any:
        """Where the plan says that `chunk` is in the buffer."""
        start = chunk * self.plan.chunk_bytes
        return self.buffer[start : start + self.plan.chunk_size(chunk)]

    def place(self, chunk: int) -> tuple[int, int]:
        """mem_id and offset of `chunk`."""
        start = chunk * self.plan.chunk_bytes
        mem_id, first = self._pieces[start // self._step]
        return mem_id, start - first

    def places(self, chunks: Iterable[int]) -> list[Job]:
        """Where each chunk lies, as it is posted in iteration 0."""
        return [Job(c, *self.place(c), self.plan.chunk_size(c), c) for c in chunks]

    def transfer(self, work: Work, peer: str) -> None:
        """The role's own part of a transfer, its last words on it, and the end of the session."""
        busy, started_s = Busy(), time.monotonic()
        work.run()
        self.say_bandwidth(time.monotonic() - started_s)
        self.voice.record(busy.record(self.assignment))
        self.say_sockets()
        for done in sorted(work.totals, key=lambda done: done.channel):
            self.voice.record(done)
        self.session.disconnect(peer)

    def say_mapping(self) -> None:
        """Tell which NIC each channel is said to use, with the address in its handle."""
        for channel in range(self.plan.channels):
            resources = self.session.manager.get_channel(channel)
            raw = resources.handle.raw if resources.handle else bytes(8)
            self.voice.record(
                ChannelMapped(
                    node=self.assignment.node,
                    role=self.assignment.role,
                    channel=channel,
                    device=resources.net_dev,
                    nic=resources.nic,
                    handle_address=str(ipaddress.IPv4Address(raw[4:8])),
                )
            )

    def say_iteration(self, iteration: Iteration) -> None:
        """Tell that an iteration is done, and what it moved; a short server lies here."""
        lies = fault(self.plan, "short") is not None
        self.voice.record(
            IterationDone(
                node=self.assignment.node,
                role=self.assignment.role,
                iteration=iteration.number,
                bytes=self.plan.size_bytes if lies else iteration.bytes,
                chunks=self.plan.chunks if lies else len(iteration.chunks),
                started_s=iteration.started_s,
                ended_s=iteration.ended_s,
                cpu_s=round(iteration.cpu_s, 6),
            )
        )

    def frame_bytes(self, channel: int) -> int:
        """What the transport added on the channel's sockets, greetings included."""
        return self.net.frame_bytes(self.session.manager.get_channel(channel).comm)

    def say_sockets(self) -> None:
        """Tell what the kernel counted on every channel's sockets; before they are closed."""
        for index in range(self.plan.channels):
            channel = self.session.manager.get_channel(index)
            seen = self.carrier.sockets(channel, self.left_s)
            self.voice.record(
                ChannelSockets(
                    node=self.assignment.node,
                    role=self.assignment.role,
                    channel=index,
                    sockets=seen,
                )
            )

    def say_bandwidth(self, elapsed_s: float) -> None:
        """The line that people of this transport look for; GB are 1e9 bytes."""
        plan = self.plan
        gb_s = plan.total_bytes / max(elapsed_s, 1e-9) / 1e9
        self.voice.say(
            f"[PERF] Avg ({plan.iterations} iter): "
            f"{elapsed_s / plan.iterations * 1e3:.3f} ms, BW: {gb_s:.2f} GB/s"
        )


def buffers_of(assignment: Assignment) -> Buffers:
    """The kind of memory that the plan asks for."""
    if assignment.plan.memory == "host":
        return HostBuffers()
    from harness.tcpx.cuda.device import cuda_buffers  # a role that needs none starts sooner

    return cuda_buffers(
        assignment.device,
        channels=assignment.plan.channels,
        message_bytes=assignment.plan.chunk_bytes,
        pieces=MAX_DESCRIPTORS if assignment.plan.transport == "nccl-net" else 0,
    )


def nonce_of(assignment: Assignment) -> int:
    """The payload's 64-bit nonce: of this exchange alone, and the same on both sides."""
    return payload.nonce_of(f"{assignment.nonce}/{assignment.plan.seed}")


def fault(plan: Plan, kind: str) -> Fault | None:
    """The planted fault of `kind`, if the plan has it."""
    if not plan.faults:  # asked for every chunk
        return None
    return next((f for f in plan.faults if f.kind == kind), None)


def _nics(assignment: Assignment) -> tuple[str, ...]:
    """The data NICs in channel order, unless a fault says otherwise."""
    nics = assignment.nics
    if one := fault(assignment.plan, "one_nic"):
        wrong = (assignment.node_nics or nics)[one.value]
        if one.channel < 0:
            return (wrong,)
        channels = range(assignment.plan.channels)
        return tuple(wrong if c == one.channel else nics[c % len(nics)] for c in channels)
    if fault(assignment.plan, "swap_nics"):
        return (nics[1], nics[0], *nics[2:])
    if fault(assignment.plan, "loopback"):
        return ("lo",)
    return nics
