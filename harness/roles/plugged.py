"""An ncclNet plugin as what carries a plan's data.

Its sockets belong to another process. They are found in the kernel's table by the listener's
address and port, which every handle begins with, so the evidence does not rest on the plugin's
word.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from harness.errors import HarnessError
from harness.evidence import FlowSteered, SocketSeen
from harness.nic.sockets import tcp_sockets
from harness.plan import Assignment
from harness.roles.voice import Voice
from harness.tcpx.channel_manager import Channel
from harness.tcpx.net.nccl_net.net import NcclNet
from harness.tcpx.rxdm.message import FlowRule
from harness.tcpx.rxdm.stand_in import INSTALL, StandIn, gpus_of_this_machine

ALL = 1 << 20  # sockets; a node has fewer


class Plugin:
    """An ncclNet plugin in a process of its own."""

    shares_memory = True

    def __init__(self, assignment: Assignment, nics: Sequence[str], voice: Voice) -> None:
        plan = assignment.plan
        self._assignment, self._voice = assignment, voice
        self._rxdm = StandIn(self._steered, gpus_of_this_machine()) if plan.rxdm else None
        try:
            self.net = self._plugin(nics)
        except HarnessError:
            self._dismiss()
            raise

    def _plugin(self, nics: Sequence[str]) -> NcclNet:
        plan = self._assignment.plan
        return NcclNet(
            plan.plugin,
            nics,
            sockets_per_channel=plan.sockets_per_channel,
            max_message_bytes=plan.chunk_bytes,
            environment=self._rxdm.environment if self._rxdm else {},
            gpu=self._assignment.device if plan.is_on_gpus else None,
            say=self._voice.say,
        )

    def sockets(self, channel: Channel, left_s: float) -> tuple[SocketSeen, ...]:
        """Whatever is connected to the channel's listener. A server's own end of it is the local
        one; what a sender sent is final, as its receiver has verified it."""
        if channel.handle is None:
            return ()
        raw, is_server = channel.handle.raw, channel.recv_comm is not None
        listener = str(ipaddress.IPv4Address(raw[4:8])), int.from_bytes(raw[2:4], "big")
        return tuple(
            seen
            for seen in tcp_sockets(at_most=ALL)
            if listener == (_local(seen) if is_server else _peer(seen))
        )

    def close(self) -> None:
        self.net.close()
        self._dismiss()

    def _dismiss(self) -> None:
        if self._rxdm is not None:
            self._rxdm.close()

    def _steered(self, door: str, rule: FlowRule) -> None:
        """The plugin asked the stand-in. Runs in the stand-in's thread."""
        self._voice.record(
            FlowSteered(
                node=self._assignment.node,
                role=self._assignment.role,
                what="install" if door == INSTALL else "remove",
                source_address=rule.source_address,
                source_port=rule.source_port,
                destination_address=rule.destination_address,
                destination_port=rule.destination_port,
                gpu=rule.gpu,
            )
        )


def _local(seen: SocketSeen) -> tuple[str, int]:
    return seen.local_address, seen.local_port


def _peer(seen: SocketSeen) -> tuple[str, int]:
    return seen.peer_address, seen.peer_port
