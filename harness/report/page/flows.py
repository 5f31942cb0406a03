"""What flowed where: channels from NIC to NIC, of one exchange or of a whole run together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from harness.evidence import Damage
from harness.report.exchanges import ChannelFigures, Told
from harness.report.page.run import worst_of
from harness.verdict import Outcome

Port = tuple[str, str]  # node, NIC
OPEN = Outcome.INCONCLUSIVE
FEW = 4  # spans of channels that a label has room for


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """From a client's NIC to a server's; `planned` is where it should have gone, if elsewhere."""

    source: Port
    target: Port
    channels: frozenset[int]
    bytes: int
    exchanges: int
    outcome: Outcome
    planned: tuple[Port, Port] | None = None

    @property
    def nodes(self) -> frozenset[str]:
        return frozenset({self.source[0], self.target[0]})

    @property
    def name(self) -> str:
        """`channel 1`, `channels 0-3, 8`, `16 channels`."""
        listed = spans(self.channels)
        if listed.count(",") >= FEW:
            return f"{len(self.channels)} channels"
        return f"channel{'s' * (len(self.channels) > 1)} {listed}"


def spans(numbers: Iterable[int]) -> str:
    """0, 1, 2, 5 as `0-2, 5`."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][-1] + 1:
            found[-1] = [found[-1][0], number]
        else:
            found.append([number, number])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in found)


def flows(told: Told) -> list[Flow]:
    """A flow a channel. One that nobody told of stands where it was planned, with no bytes."""
    known = {figures.channel for figures in told.channels}
    missing = [c for c in range(told.seen.plan.channels) if c not in known]
    moved = [_flow(told, figures) for figures in told.channels]
    return moved + [flow for c in missing if (flow := _planned(told, c))]


def together(all_told: Iterable[Told]) -> list[Flow]:
    """The flows of many exchanges, those between the same two NICs in one; the largest first."""
    merged: dict[tuple[Port, Port], Flow] = {}
    for told in all_told:
        for flow in flows(told):
            key = (flow.source, flow.target)
            merged[key] = _merged(merged[key], flow) if key in merged else flow
    return sorted(merged.values(), key=lambda flow: -flow.bytes)


def _merged(one: Flow, other: Flow) -> Flow:
    return replace(
        one,
        channels=one.channels | other.channels,
        bytes=one.bytes + other.bytes,
        exchanges=one.exchanges + other.exchanges,
        outcome=max(one.outcome, other.outcome),
        planned=None,
    )


def _flow(told: Told, figures: ChannelFigures) -> Flow:
    seen = told.seen
    source = (seen.nodes["client"], figures.nics["client"])
    target = (seen.nodes["server"], figures.nics["server"])
    due = _ports(told, figures.channel)
    elsewhere = due is not None and due != (source, target)
    return Flow(
        source=source,
        target=target,
        channels=frozenset({figures.channel}),
        bytes=figures.bytes,
        exchanges=1,
        outcome=_outcome(told, figures, {source, target}, elsewhere=elsewhere),
        planned=due if elsewhere else None,
    )


def _planned(told: Told, channel: int) -> Flow | None:
    due = _ports(told, channel)
    if due is None:
        return None
    return Flow(
        source=due[0],
        target=due[1],
        channels=frozenset({channel}),
        bytes=0,
        exchanges=1,
        outcome=_blamed(told, channel, set(due)) or _unless_green(told),
    )


def _ports(told: Told, channel: int) -> tuple[Port, Port] | None:
    seen = told.seen
    nics = {role: seen.nic(role, channel) for role in seen.nodes}
    if not all(nics.values()):
        return None
    return (seen.nodes["client"], nics["client"]), (seen.nodes["server"], nics["server"])


def _outcome(told: Told, figures: ChannelFigures, ports: set[Port], *, elsewhere: bool) -> Outcome:
    """The worst that is known of a channel. A headline blames one of several: others that went
    elsewhere, were damaged or came up short are not green for that."""
    damaged = bool(told.seen.seen(Damage, channel=figures.channel))
    found = [
        _blamed(told, figures.channel, ports),
        _claim(told, "mapping") if elsewhere else Outcome.SKIP,
        _claim(told, "integrity") if damaged else Outcome.SKIP,
    ]
    if (worst_known := max(found)) > Outcome.PASS:
        return worst_known
    short = figures.bytes != told.seen.channel_bytes(figures.channel)
    return _unless_green(told) if short and not told.seen.plan.program else _unblamed(told)


def _blamed(told: Told, channel: int, ports: set[Port]) -> Outcome:
    """What verdicts say that name this channel, or no channel and one of its NICs; else SKIP."""
    return max(
        (
            Outcome[one.outcome]
            for one in told.judged
            if one.channel == channel or (one.channel < 0 and (one.node, one.nic) in ports)
        ),
        default=Outcome.SKIP,
    )


def _claim(told: Told, claim: str) -> Outcome:
    return max((Outcome[one.outcome] for one in told.judged if one.claim == claim), default=OPEN)


def _unless_green(told: Told) -> Outcome:
    """Of a channel of which too little is known: open, unless all of the exchange holds."""
    return Outcome.PASS if worst_of(told) <= Outcome.PASS else OPEN


def _unblamed(told: Told) -> Outcome:
    """Of a channel that carried all: green, unless verdicts blame the exchange and no place."""
    red = [one for one in told.judged if Outcome[one.outcome] > Outcome.PASS]
    return Outcome.PASS if any(one.channel >= 0 or one.nic for one in red) else worst_of(told)


def node_pairs(found: Sequence[Flow]) -> list[list[Flow]]:
    """Flows between the same two nodes together; the pair that moved most first."""
    by_pair: dict[frozenset[str], list[Flow]] = {}
    for flow in found:
        by_pair.setdefault(flow.nodes, []).append(flow)
    return sorted(by_pair.values(), key=lambda group: -sum(flow.bytes for flow in group))
