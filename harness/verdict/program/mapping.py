"""Every planned NIC carried its channels' share of the program's connections, on both nodes.

A program's connections do not say which channel they are, so a NIC is held to the sum of its
channels, to within half of what one of them carries. What the program says of its mapping must
agree, and proves nothing alone: a NIC that it names and that carried nothing is a lie, a NIC that
it chose with no common PCIe root is a fallback.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.evidence import ChannelMapped, Judged, ProgramSockets, SocketSeen
from harness.verdict.carried import not_carried
from harness.verdict.counters import nic_of
from harness.verdict.exchange import ROLES, Exchange
from harness.verdict.finding import breaks, counted, holds
from harness.verdict.limits import LIMITS
from harness.verdict.links import broken_link
from harness.verdict.mapping import CLAIM, loopback
from harness.verdict.program.missed import missed
from harness.verdict.program.words import said, started

Loads = dict[str, int]  # NIC -> payload of the program's connections


def mapping(exchange: Exchange) -> Judged:
    return (
        broken_link(exchange, CLAIM)
        or loopback(exchange, CLAIM)
        or missed(exchange, CLAIM)
        or _unseen(exchange)
        or _uneven(exchange)
        or _strayed(exchange)
        or _said_otherwise(exchange)
        or _no_common_root(exchange)
        or _no_such_socket(exchange)
        or not_carried(exchange, CLAIM)
        or _proven(exchange)
    )


def _unseen(exchange: Exchange) -> Judged | None:
    for role in ROLES:
        if not sum(_loads(exchange, role).values()):
            fact = f"no connection of the {role}'s program was seen to carry anything"
            node = exchange.nodes[role]
            return breaks(exchange, CLAIM, "NO_EVIDENCE", fact, at_s=exchange.ended_s, node=node)
    return None


def _uneven(exchange: Exchange) -> Judged | None:
    """The first channel whose NIC lacks a channel's worth that another NIC has, or half of its
    share wherever that went; else one whose NIC has a channel's worth too much. A share of the
    NIC's own sum alone would not do: of many channels on it, one may be elsewhere unnoticed."""
    for role in ROLES:
        loads = _loads(exchange, role)
        for channel in [*_lacking(exchange, role, loads), *_beyond(exchange, role, loads)]:
            fact = _shares(exchange, role, exchange.nic(role, channel), loads)
            return _red(exchange, fact, role, channel)
    return None


def _lacking(exchange: Exchange, role: str, loads: Loads) -> Iterator[int]:
    """Channels whose NIC did not carry its share. What nobody has was not sent: that is no matter
    of the mapping, and delivery tells of it."""
    total, elsewhere = sum(loads.values()), any(True for _ in _beyond(exchange, role, loads))
    for channel in range(exchange.plan.channels):
        nic = exchange.nic(role, channel)
        due = _planned_share(exchange, role, nic) * total
        lacks = due - loads.get(nic, 0)
        moved = elsewhere and lacks >= _worth(exchange, loads)
        if moved or lacks > (1 - LIMITS.channel_share) * due:
            yield channel


def _beyond(exchange: Exchange, role: str, loads: Loads) -> Iterator[int]:
    """Channels whose NIC carried a channel's worth more than its share, of what was due at least:
    where some was never sent, the others' shares of the rest are greater."""
    record = started(exchange, role)
    whole = max(sum(loads.values()), record.due_bytes if record else 0)
    for channel in range(exchange.plan.channels):
        nic = exchange.nic(role, channel)
        due = _planned_share(exchange, role, nic) * whole
        if loads.get(nic, 0) - due >= _worth(exchange, loads):
            yield channel


def _shares(exchange: Exchange, role: str, nic: str, loads: Loads) -> str:
    share, carried = _planned_share(exchange, role, nic), loads.get(nic, 0) / sum(loads.values())
    return (
        f"expected {share:.1%} of the bytes on {nic}, its connections carried {carried:.1%} there"
        f"{_together(exchange, role, loads)}"
    )


def _together(exchange: Exchange, role: str, loads: Loads) -> str:
    planned = {exchange.nic(role, channel) for channel in range(exchange.plan.channels)}
    used = {nic: load for nic, load in loads.items() if load >= _worth(exchange, loads)}
    if len(used) == 1 < len(planned):
        return f"; all channels are on {min(used)}: NO_PARALLELISM"
    total = sum(loads.values())
    told = (f"{nic} with {load / total:.1%}" for nic, load in sorted(used.items()))
    return f"; they are on {', '.join(told)}"


def _strayed(exchange: Exchange) -> Judged | None:
    """A NIC that no channel should use and that carried a channel's worth."""
    for role in ROLES:
        loads = _loads(exchange, role)
        planned = {exchange.nic(role, channel) for channel in range(exchange.plan.channels)}
        for channel in range(exchange.plan.channels):
            for socket in exchange.sockets(role, channel):
                nic = nic_of(socket)
                if nic not in planned and loads[nic] >= _worth(exchange, loads):
                    fact = f"expected {exchange.nic(role, channel)}, {_ends(socket)} is on {nic}"
                    return _red(exchange, fact, role, channel)
    return None


def _said_otherwise(exchange: Exchange) -> Judged | None:
    """A channel that the program itself puts elsewhere."""
    for seen in (s for role in ROLES for s in exchange.seen(ChannelMapped, role=role)):
        word = seen.record
        if word.nic != (expected := exchange.nic(word.role, word.channel)):
            fact = f"expected {expected}, the {word.role} says {word.nic}"
            return _red(exchange, fact, word.role, word.channel)
    return None


def _no_common_root(exchange: Exchange) -> Judged | None:
    """A NIC that was taken because none was near the GPU."""
    for seen in said(exchange, "nic_score"):
        word = seen.record
        if word.value < 0:
            fact = (
                f"its NIC was chosen with score {word.value:.0f}: it shares no PCIe root with the "
                f"GPU, or the GPU's PCI path was not found: {word.line!r}"
            )
            return _red(exchange, fact, word.role, word.channel)
    return None


def _no_such_socket(exchange: Exchange) -> Judged | None:
    """A connection that the program says it has and that the kernel does not know of."""
    for seen in said(exchange, "connected"):
        word = seen.record
        nic = exchange.nic(word.role, word.channel)
        known = {_ends(s): nic_of(s) for s in _sockets(exchange, word.role)}
        if known.get(word.line) != nic:
            where = known.get(word.line, "")
            actual = f"the kernel has it on {where}" if where else "the kernel knows of no such one"
            fact = f"it says that {word.line} is its connection, expected on {nic}; {actual}"
            return _red(exchange, fact, word.role, word.channel)
    return None


def _proven(exchange: Exchange) -> Judged:
    lines, checked = [], len(exchange.seen(ChannelMapped)) + len(said(exchange, "connected"))
    for role in ROLES:
        loads = _loads(exchange, role)
        total = sum(loads.values())
        checked += len(loads)
        lines += [
            f"{exchange.nodes[role]}/{nic}: {load:,} bytes, {load / total:.1%}"
            for nic, load in sorted(loads.items())
        ]
    nics = len({exchange.nic("client", c) for c in range(exchange.plan.channels)})
    fact = (
        f"{counted(exchange.plan.channels, 'channel')} on {counted(nics, 'NIC')}, each of which "
        "carried its share of the program's connections"
    )
    return holds(exchange, CLAIM, checked=checked, fact=fact, evidence=lines)


def _loads(exchange: Exchange, role: str) -> Loads:
    """Payload by NIC, in the direction in which each connection carried more."""
    loads: Loads = {}
    for s in _sockets(exchange, role):
        moved = max(s.bytes_sent - s.bytes_retrans, s.bytes_received)
        loads[nic_of(s)] = loads.get(nic_of(s), 0) + moved
    return loads


def _sockets(exchange: Exchange, role: str) -> Iterator[SocketSeen]:
    for channel in range(exchange.plan.channels):
        yield from exchange.sockets(role, channel)


def _planned_share(exchange: Exchange, role: str, nic: str) -> float:
    plan = exchange.plan
    ours = [c for c in range(plan.channels) if exchange.nic(role, c) == nic]
    return sum(map(plan.channel_bytes, ours)) / plan.size_bytes


def _worth(exchange: Exchange, loads: Loads) -> float:
    """What makes a channel's worth of what was carried at all."""
    return LIMITS.channel_share * sum(loads.values()) / exchange.plan.channels


def _red(exchange: Exchange, fact: str, role: str, channel: int) -> Judged:
    words = [
        f"the {s.record.role} says: channel {s.record.channel} on {s.record.nic}"
        for s in exchange.seen(ChannelMapped)
    ]
    carried = [
        f"{exchange.nodes[r]}/{nic}: its connections carried {load:,} bytes"
        for r in ROLES
        for nic, load in sorted(_loads(exchange, r).items())
    ]
    seen = exchange.first(ProgramSockets, role=role)
    return breaks(
        exchange,
        CLAIM,
        "MAPPING",
        fact,
        at_s=seen.at_s if seen else exchange.ended_s,
        node=exchange.nodes[role],
        nic=exchange.nic(role, channel),
        channel=channel,
        evidence=[*carried, *words],
    )


def _ends(s: SocketSeen) -> str:
    return f"{s.local_address}:{s.local_port} to {s.peer_address}:{s.peer_port}"
