"""What carries a plan's data, and what the kernel says of the sockets that it does so with.

Our own sockets are asked themselves before they are closed; for a plugin's see plugged.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from harness.evidence import SocketSeen
from harness.nic.addresses import nic_by_address, nic_of
from harness.plan import Assignment, Plan
from harness.roles.voice import Voice
from harness.tcpx.channel_manager import Channel
from harness.tcpx.net.plugin import NetPlugin
from harness.tcpx.net.sockets import Sockets


class Carrier(Protocol):
    """`shares_memory` says that the payload must lie where another process can map it."""

    shares_memory: bool

    @property
    def net(self) -> NetPlugin: ...

    def sockets(self, channel: Channel, left_s: float) -> tuple[SocketSeen, ...]:
        """The channel's, while they are open; the sender's when its bytes have been sent."""

    def close(self) -> None: ...


def carrier_of(
    assignment: Assignment, nics: Sequence[str], voice: Voice, sends_ahead: int = 1
) -> Carrier:
    """`sends_ahead` is what the memory profits from; a plugin knows better."""
    if assignment.plan.transport == "sockets":
        return OurSockets(assignment.plan, nics, sends_ahead)
    from harness.roles.plugged import Plugin  # a role that needs none starts sooner without it

    return Plugin(assignment, nics, voice)


class OurSockets:
    """Plain TCP."""

    shares_memory = False

    def __init__(self, plan: Plan, nics: Sequence[str], sends_ahead: int = 1) -> None:
        self.net = Sockets(
            nics,
            sockets_per_channel=plan.sockets_per_channel,
            max_message_bytes=plan.chunk_bytes,
            sends_ahead=sends_ahead,
        )

    def sockets(self, channel: Channel, left_s: float) -> tuple[SocketSeen, ...]:
        if channel.send_comm is not None:
            self.net.wait_acked(channel.send_comm, left_s)
        owners = nic_by_address()
        return tuple(
            SocketSeen(
                local_address=s.local_address,
                local_port=s.local_port,
                peer_address=s.peer_address,
                peer_port=s.peer_port,
                nic=nic_of(s.local_address, owners),
                bound_device=s.bound_device,
                state="ESTABLISHED",
                bytes_sent=s.bytes_sent,
                bytes_acked=s.bytes_acked,
                bytes_received=s.bytes_received,
                bytes_retrans=s.bytes_retrans,
                segs_out=s.segs_out,
                segs_in=s.segs_in,
                rtt_us=s.rtt_us,
            )
            for s in self.net.sockets_of(channel.comm)
        )

    def close(self) -> None:
        """The channels' sockets are closed with the channels."""
