"""Every word is the one that was sent for that place.

The server decodes wrong words where it finds them, so a Damage record already says what happened
and where the words came from; the first one in time is the cause. Words that nobody compared prove
nothing.
"""

from __future__ import annotations

from collections import Counter

from harness.evidence import ChannelDone, Damage, Judged
from harness.verdict.exchange import Exchange, Seen
from harness.verdict.finding import breaks, counted, holds

CLAIM = "integrity"


def integrity(exchange: Exchange) -> Judged:
    damages = sorted(exchange.seen(Damage), key=lambda s: s.at_s)
    if damages:
        return _damaged(exchange, damages)
    words = _words(exchange)
    for channel in range(exchange.plan.channels):
        if exchange.channel_bytes(channel) and not words[channel]:
            return _unverified(exchange, channel)
    total = sum(words.values())
    fact = f"{counted(total, 'word')} compared on {counted(len(words), 'channel')}, none wrong"
    return holds(exchange, CLAIM, checked=total, fact=fact)


def _words(exchange: Exchange) -> Counter[int]:
    """Channel -> words that the server compared."""
    words: Counter[int] = Counter()
    for seen in exchange.seen(ChannelDone, role="server"):
        if seen.record.words_verified:
            words[seen.record.channel] = seen.record.words_verified
    return words


def _unverified(exchange: Exchange, channel: int) -> Judged:
    size = exchange.channel_bytes(channel)
    return breaks(
        exchange,
        CLAIM,
        "UNVERIFIED",
        f"no word of this channel's {size:,} bytes was compared",
        at_s=exchange.ended_s,
        node=exchange.nodes["server"],
        nic=exchange.nic("server", channel),
        channel=channel,
    )


def _damaged(exchange: Exchange, damages: list[Seen[Damage]]) -> Judged:
    first = damages[0].record
    kinds = Counter(s.record.kind for s in damages)
    total = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return breaks(
        exchange,
        CLAIM,
        first.kind,
        _told(first),
        at_s=damages[0].at_s,
        node=first.node,
        nic=exchange.nic("server", first.channel),
        channel=first.channel,
        chunk=first.chunk,
        checked=sum(_words(exchange).values()),
        evidence=[f"damaged chunks: {total}", *(_line(s.record) for s in damages)],
    )


def _told(damage: Damage) -> str:
    """The damage in words, with its source where the words tell it."""
    source = (
        f", from iteration {damage.source_iteration} channel {damage.source_channel} "
        f"chunk {damage.source_chunk}"
        if damage.source_chunk >= 0
        else ""
    )
    detail = f" ({damage.detail})" if damage.detail else ""
    return (
        f"{counted(damage.words_wrong, 'wrong word')}, "
        f"{damage.first_word} to {damage.last_word} of the chunk, "
        f"in iteration {damage.iteration}{source}{detail}"
    )


def _line(damage: Damage) -> str:
    return f"{damage.kind} channel {damage.channel} chunk {damage.chunk}: {_told(damage)}"
