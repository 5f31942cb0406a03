"""Every socket carried its payload and frame headers, to the byte.

TCP's own arithmetic, read from TCP_INFO before the sockets were closed: what the client sent once
(bytes_sent - bytes_retrans) is what it said it sent, headers of the transport included; what the
kernel of the server received is that too. bytes_acked and bytes_received count SYN and FIN as one
byte each, so these two may be up to 2 higher a socket. A last ACK may still be under way when the
client reads: bytes_acked has no lower bound.

What a plugin puts around the payload only the plugin knows. Its channels are held to the payload
and a little more, and both ends to each other: what was sent once is what was received.

Each socket is one channel's alone, of all exchanges that ran at the same time.
"""

from __future__ import annotations

from harness.evidence import ChannelDone, ChannelSockets, Judged
from harness.verdict.exchange import ROLES, Exchange
from harness.verdict.finding import breaks, counted, holds
from harness.verdict.limits import LIMITS
from harness.verdict.places import PEER

CLAIM = "sockets"


def sockets(exchange: Exchange) -> Judged:
    total = 0
    for channel in range(exchange.plan.channels):
        for role in ROLES:
            if found := _wrong(exchange, role, channel):
                return found
            total += _expected(exchange, role, channel)
    plan = exchange.plan
    count = sum(len(s.record.sockets) for s in exchange.seen(ChannelSockets))
    what = "payload and frame headers, exactly"
    if not _is_framed(exchange):
        framing = sum(_carried(exchange, r, c) for r in ROLES for c in range(plan.channels)) - total
        what = f"payload, and {framing:,} of the plugin's own, the same at both ends"
    fact = (
        f"{counted(count, 'socket')} of {counted(plan.channels, 'channel')} carried "
        f"{total:,} bytes, client and server together: {what}"
    )
    return holds(exchange, CLAIM, checked=3 * plan.channels, fact=fact)


def _wrong(exchange: Exchange, role: str, channel: int) -> Judged | None:
    """The channel's first figure that is not what it should be."""
    said = exchange.last(ChannelSockets, role=role, channel=channel)
    done = exchange.last(ChannelDone, role=role, channel=channel)
    if said is None or done is None or not said.record.sockets:
        what = "byte count" if done is None else "sockets"
        klass, fact, at_s = "NO_EVIDENCE", f"the {role} told no {what}", exchange.ended_s
    elif fact := _difference(exchange, role, channel) or _shared(exchange, role, channel):
        klass, at_s = "LEDGER", said.at_s
    else:
        return None
    return breaks(
        exchange,
        CLAIM,
        klass,
        fact,
        at_s=at_s,
        node=exchange.nodes[role],
        nic=exchange.nic(role, channel),
        channel=channel,
        evidence=_lines(exchange, role, channel),
    )


def _difference(exchange: Exchange, role: str, channel: int) -> str:
    """What TCP counted against what the role accounts for; '' when they agree."""
    seen = exchange.sockets(role, channel)
    expected = _expected(exchange, role, channel)
    once = sum(s.bytes_sent - s.bytes_retrans for s in seen)
    acked = sum(s.bytes_acked for s in seen)
    received = sum(s.bytes_received for s in seen)
    extra = LIMITS.handshake_bytes * len(seen)
    if not _is_framed(exchange):
        return _beyond(exchange, role, channel)
    if role == "client" and once != expected:
        figure = f"sent {once:,} bytes"
    elif role == "client" and acked > expected + extra:
        figure = f"had {acked:,} bytes acknowledged"
    elif role == "server" and not expected <= received <= expected + extra:
        figure = f"received {received:,} bytes"
    else:
        return ""
    return (
        f"its {counted(len(seen), 'socket')} {figure}, payload and frame headers are {expected:,}"
    )


def _shared(exchange: Exchange, role: str, channel: int) -> str:
    """Another channel, maybe of another GPU, that names one of its sockets as its own."""
    own = {socket.ends for socket in exchange.sockets(role, channel)}
    for mate in exchange.mates:
        for other in range(mate.plan.channels):
            is_it = mate is exchange and other == channel
            theirs = {socket.ends for socket in mate.sockets(role, other)}
            if not is_it and (both := own & theirs):
                address, port, _, _ = min(both)
                whose = f"channel {other}" + (f" of GPU {mate.gpu}" if mate.gpu >= 0 else "")
                return f"its socket {address}:{port} is {whose}'s as well"
    return ""


def _beyond(exchange: Exchange, role: str, channel: int) -> str:
    """The same for a plugin's channel."""
    payload, carried = _expected(exchange, role, channel), _carried(exchange, role, channel)
    sockets = len(exchange.sockets(role, channel))
    done = exchange.last(ChannelDone, role=role, channel=channel)
    pieces = sockets + (done.record.chunks if done else 0)
    most = payload + LIMITS.framing_bytes * pieces
    if not payload <= carried <= most:
        return f"its {counted(sockets, 'socket')} carried {carried:,} bytes of {payload:,} payload"
    other = _carried(exchange, PEER[role], channel)
    if abs(other - carried) > LIMITS.handshake_bytes * sockets:
        return f"its {counted(sockets, 'socket')} carried {carried:,} bytes, its peer's {other:,}"
    return ""


def _carried(exchange: Exchange, role: str, channel: int) -> int:
    """What TCP counted in the payload's direction, sent once."""
    seen = exchange.sockets(role, channel)
    if role == "client":
        return sum(s.bytes_sent - s.bytes_retrans for s in seen)
    return sum(s.bytes_received for s in seen)


def _is_framed(exchange: Exchange) -> bool:
    """Whether the roles know what was put around the payload."""
    return all(s.record.frame_bytes >= 0 for s in exchange.seen(ChannelDone))


def _expected(exchange: Exchange, role: str, channel: int) -> int:
    done = exchange.last(ChannelDone, role=role, channel=channel)
    return done.record.bytes + max(done.record.frame_bytes, 0) if done else 0


def _lines(exchange: Exchange, role: str, channel: int) -> list[str]:
    return [
        f"{s.local_address}:{s.local_port} to {s.peer_address}:{s.peer_port}: "
        f"sent {s.bytes_sent:,}, again {s.bytes_retrans:,}, acknowledged {s.bytes_acked:,}, "
        f"received {s.bytes_received:,} bytes"
        for s in exchange.sockets(role, channel)
    ]
