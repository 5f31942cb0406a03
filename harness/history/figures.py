"""What one exchange says of speed: a value a figure, where a figure is a metric and its subject."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from harness.evidence import ChannelDone, IterationDone, ProgramSaid
from harness.history.series import Better
from harness.verdict import counted
from harness.verdict.exchange import ROLES, Exchange

BETTER: dict[str, Better] = {"gb_s": "higher", "iteration_s": "lower", "cpu_s_per_gb": "lower"}
Figure = tuple[str, str]  # metric, subject


def planned(seen: Exchange) -> list[Figure]:
    """Every figure that an exchange of this plan has, were it measured or not."""
    whole = [(metric, _channels(seen)) for metric in BETTER]
    nics = {nic: None for channel in range(seen.plan.channels) if (nic := _nic(seen, channel))}
    return [*whole, *(("gb_s", nic) for nic in nics)]


def measured(seen: Exchange) -> dict[Figure, float]:
    """Those that can be read from its records, and are above 0."""
    subject = _channels(seen)
    found = {
        ("gb_s", subject): seen.gb_s,
        ("iteration_s", subject): _iteration_s(seen),
        ("cpu_s_per_gb", subject): _cpu_s_per_gb(seen),
        **dict(_nics(seen)),
    }
    return {figure: value for figure, value in found.items() if value > 0}


def _channels(seen: Exchange) -> str:
    if seen.plan.rails:
        return counted(seen.plan.rails, "rail")
    return counted(seen.plan.channels, "channel")


def _nic(seen: Exchange, channel: int) -> str:
    """`eth1`, or `eth1 to eth5` from client to server; '' where no channel was given a NIC."""
    server, client = (seen.nic(role, channel) for role in ROLES)
    return server if server == client else f"{client} to {server}"


def _nics(seen: Exchange) -> Iterator[tuple[Figure, float]]:
    """Each NIC's channels together: their bytes from the first one's start to the last one's end.
    Of a program nobody knows when a channel began, so its NICs have no figure of their own."""
    done: dict[str, list[ChannelDone]] = {}
    for one in seen.seen(ChannelDone, role="server"):
        if nic := _nic(seen, one.record.channel):
            done.setdefault(nic, []).append(one.record)
    for nic, channels in done.items():
        elapsed_s = max(d.ended_s for d in channels) - min(d.started_s for d in channels)
        if elapsed_s > 0:
            yield ("gb_s", nic), sum(d.bytes for d in channels) / elapsed_s / 1e9


def _iteration_s(seen: Exchange) -> float:
    """The median of the exchange's iterations, as the client took them."""
    own = [s.record.ended_s - s.record.started_s for s in seen.seen(IterationDone, role="client")]
    said = [s.record.value for s in seen.seen(ProgramSaid, role="server", what="iteration_s")]
    return median(own or said or [0.0])


def _cpu_s_per_gb(seen: Exchange) -> float:
    """Of both roles together, from the transfer's beginning to its last iteration."""
    spent = [
        max((s.record.cpu_s for s in seen.seen(IterationDone, role=role)), default=0.0)
        for role in ROLES
    ]
    return sum(spent) / (seen.plan.total_bytes / 1e9) if all(spent) else 0.0
