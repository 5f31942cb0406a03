"""The NIC that a channel should use did carry it: the counters' part of the mapping.

A NIC that stood still while its sockets moved bytes is a frozen counter, unless another NIC of the
node has the bytes: then they went there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.evidence import Judged, SocketSeen
from harness.verdict.counters import Rise, elsewhere, nic_of, rises
from harness.verdict.exchange import ROLES, Exchange
from harness.verdict.finding import breaks
from harness.verdict.limits import LIMITS

DIRECTION = {"server": "received", "client": "sent"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the channels of one NIC moved, by their sockets."""

    role: str
    nic: str
    channel: int  # the first of them, -1 where none is known
    bytes: int


def not_carried(
    exchange: Exchange, claim: str, loads: Iterable[Load] | None = None
) -> Judged | None:
    """The first NIC whose counter does not show its load, which is its channels' payload."""
    loads = _loads(exchange) if loads is None else loads
    found = [f for load in loads if (f := _short(exchange, claim, load))]
    return next((f for f in found if f.outcome == "FAIL"), found[0] if found else None)


def _short(exchange: Exchange, claim: str, load: Load) -> Judged | None:
    node = exchange.nodes[load.role]
    rise = _rise(exchange, node, load)
    if rise is None:
        klass, fact, at_s = "COUNTER", "there is no settled reading of this NIC", exchange.ended_s
    elif rise.bytes >= LIMITS.carried_share * load.bytes:
        return None
    else:
        klass, fact = _why(exchange, load, rise)
        at_s = rise.at_s
    return breaks(
        exchange,
        claim,
        klass,
        fact,
        at_s=at_s,
        node=node,
        nic=load.nic,
        channel=load.channel,
    )


def _why(exchange: Exchange, load: Load, rise: Rise) -> tuple[str, str]:
    fact = (
        f"the NIC's counter of bytes {rise.direction} rose by {rise.bytes:,}, "
        f"its channels' sockets moved {load.bytes:,}"
    )
    if rise.bytes < 0:
        return "COUNTER", f"{fact}: it went backwards"
    if other := elsewhere(exchange, rise, load.bytes - rise.bytes):
        return "MAPPING", f"expected {load.nic}, but {other}; {fact}"
    if rise.bytes == 0 and rise.packets == 0:
        return "COUNTER", f"{fact}: it stood still"
    return "MAPPING", fact


def _rise(exchange: Exchange, node: str, load: Load) -> Rise | None:
    wanted = (load.nic, DIRECTION[load.role])
    return next((r for r in rises(exchange, node) if (r.nic, r.direction) == wanted), None)


def _loads(exchange: Exchange) -> Iterator[Load]:
    """Of each NIC of the exchange: what all channels on it moved, its mates' too."""
    for role in ROLES:
        by_nic: dict[str, list[int]] = {}
        for channel in range(exchange.plan.channels):
            by_nic.setdefault(exchange.nic(role, channel), []).append(channel)
        for nic, channels in by_nic.items():
            own = sum(payload_of(exchange, role, channel) for channel in channels)
            others = sum(_found_on(mate, role, nic) for mate in _others(exchange))
            yield Load(role=role, nic=nic, channel=channels[0], bytes=own + others)


def _others(exchange: Exchange) -> list[Exchange]:
    return [mate for mate in exchange.mates if mate is not exchange]


def _found_on(exchange: Exchange, role: str, nic: str) -> int:
    """What its channels moved whose sockets are on `nic`; where they should be is not its mates'
    concern."""
    channels = range(exchange.plan.channels)
    found = [s for c in channels for s in exchange.sockets(role, c) if nic_of(s) == nic]
    return sum(moved(role, socket) for socket in found)


def payload_of(exchange: Exchange, role: str, channel: int) -> int:
    """TCP payload of a channel's sockets in the direction of the transfer, sent once."""
    return sum(moved(role, socket) for socket in exchange.sockets(role, channel))


def moved(role: str, socket: SocketSeen) -> int:
    """What one socket moved in the direction of the transfer, sent once."""
    if role == "client":
        return socket.bytes_sent - socket.bytes_retrans
    return socket.bytes_received
