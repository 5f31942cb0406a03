"""The exchanges of a run, each with its verdicts and its channels' figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.evidence import ChannelDone, Entry, Judged
from harness.verdict import exchanges_of, judge_exchange
from harness.verdict.counters import nic_of
from harness.verdict.exchange import ROLES, Exchange
from harness.verdict.gpus import shared, used


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFigures:
    """What one channel did, by the server's account; `nics` are where its sockets were."""

    channel: int
    nics: dict[str, str]
    bytes: int
    words_verified: int
    gb_s: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One exchange as reports tell it."""

    seen: Exchange
    judged: tuple[Judged, ...]
    channels: tuple[ChannelFigures, ...]

    @property
    def words_verified(self) -> int:
        return sum(channel.words_verified for channel in self.channels)

    @property
    def gpus(self) -> dict[str, str]:
        """Role -> the uuid of its GPU, '' when nobody could read it; {} of host memory."""
        return {one.role: one.uuid for one in used(self.seen)}

    @property
    def one_gpu(self) -> str:
        """The uuid of the GPU that both roles share; '' when they do not."""
        return shared(self.seen)

    @property
    def bytes(self) -> int:
        return sum(channel.bytes for channel in self.channels)


def exchanges(entries: Sequence[Entry]) -> list[Told]:
    """Every planned exchange among `entries`, in the order of their plans."""
    judged: dict[str, list[Judged]] = {}
    for entry in entries:
        if isinstance(entry.record, Judged):
            judged.setdefault(entry.exchange, []).append(entry.record)
    return [_told(seen, judged.get(seen.name, [])) for seen in exchanges_of(entries)]


def _told(seen: Exchange, recorded: Sequence[Judged]) -> Told:
    """Verdicts are the recorded ones; an exchange that still runs has none yet and gets them."""
    judged = tuple(recorded) or judge_exchange(seen)
    return Told(seen=seen, judged=judged, channels=_channels(seen))


def _channels(seen: Exchange) -> tuple[ChannelFigures, ...]:
    if seen.plan.program:
        return _connections(seen)
    done = {s.record.channel: s.record for s in seen.seen(ChannelDone, role="server")}
    total = sum(d.bytes for d in done.values())
    return tuple(_figures(seen, done[channel], total) for channel in sorted(done))


def _connections(seen: Exchange) -> tuple[ChannelFigures, ...]:
    """Of a program: what the server's kernel counted on the channel's connections."""
    got = {
        channel: sum(socket.bytes_received for socket in sockets)
        for channel in range(seen.plan.channels)
        if (sockets := seen.sockets("server", channel))
    }
    total = max(sum(got.values()), 1)
    return tuple(
        ChannelFigures(
            channel=channel,
            nics={role: _nics(seen, role, channel) for role in ROLES},
            bytes=size,
            words_verified=0,
            gb_s=seen.gb_s * size / total,
            share=size / total,
        )
        for channel, size in got.items()
    )


def _figures(seen: Exchange, done: ChannelDone, total: int) -> ChannelFigures:
    elapsed_s = done.ended_s - done.started_s
    return ChannelFigures(
        channel=done.channel,
        nics={role: _nics(seen, role, done.channel) for role in ROLES},
        bytes=done.bytes,
        words_verified=done.words_verified,
        gb_s=done.bytes / elapsed_s / 1e9 if elapsed_s > 0 else 0.0,
        share=done.bytes / total if total else 0.0,
    )


def _nics(seen: Exchange, role: str, channel: int) -> str:
    return "+".join(sorted({nic_of(s) or "?" for s in seen.sockets(role, channel)})) or "?"
