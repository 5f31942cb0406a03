"""What happened in an exchange, on one clock, and what of it has no known order.

A node's own time is shifted by its measured offset and is known to within the offset's bound. What
carries no time of its own stands where the controller heard of it, which is after it happened. Two
events of different nodes that are closer than their bounds together have no known order: they come
out in one group. Events of one node are always in order, by its own clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.evidence import (
    ChannelDone,
    ChannelMapped,
    ClockMeasured,
    Damage,
    ExchangeEnded,
    IterationDone,
    LeaseTaken,
    Observed,
    Record,
    RoleExited,
    RoleFailed,
    RoleReady,
    RoleStarted,
)
from harness.report.exchanges import Told
from harness.report.page.units import seconds, size
from harness.verdict import Outcome, cause, counted, headline
from harness.verdict.exchange import ROLES, Exchange

CONTROLLER = "controller"
MOST_ITERATIONS = 4  # of a role; the others are counted in words
MOST_DAMAGE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`heard`: its time is when the controller heard of it. `bound_s` is how far it may be off."""

    at_s: float  # since the exchange began
    node: str
    role: str = ""
    what: str
    bound_s: float = 0.0
    heard: bool = False
    bad: bool = False


def events(told: Told) -> list[Event]:
    """In the order of their times."""
    found = [
        *_controller(told.seen),
        *(event for role in ROLES for event in _role(told.seen, role)),
        *_damage(told.seen),
        *_cause(told),
    ]
    return sorted(found, key=lambda event: event.at_s)


def groups(ordered: Sequence[Event]) -> list[list[Event]]:
    """Neighbours whose order nobody knows stand together; all others alone."""
    found: list[list[Event]] = []
    for event in ordered:
        if found and any(_unordered(before, event) for before in found[-1]):
            found[-1].append(event)
        else:
            found.append([event])
    return found


def clocks(seen: Exchange) -> list[ClockMeasured]:
    """Each node's last measurement, which is the one that times are shifted by."""
    nodes = dict.fromkeys(seen.nodes.values())
    return [last.record for node in nodes if (last := seen.last(ClockMeasured, node=node))]


def _unordered(one: Event, other: Event) -> bool:
    apart_s = abs(other.at_s - one.at_s)
    return one.node != other.node and 0 < one.bound_s + other.bound_s >= apart_s


def _controller(seen: Exchange) -> Iterator[Event]:
    for lease in seen.seen(LeaseTaken):
        what = f"lease of {lease.record.node} taken, waited {seconds(lease.record.waited_s)}"
        yield Event(at_s=lease.at_s, node=CONTROLLER, what=what)
    for end in seen.seen(ExchangeEnded):
        problem = f": {end.record.klass} {end.record.problem}" if end.record.problem else ""
        what = f"exchange ended{problem}"
        yield Event(at_s=end.at_s, node=CONTROLLER, what=what, bad=bool(problem))


def _role(seen: Exchange, role: str) -> Iterator[Event]:
    def heard(kind: type[Record], say: Callable[..., str]) -> Iterator[Event]:
        for one in seen.seen(kind, role=role):
            node = seen.nodes[role]
            yield Event(at_s=one.at_s, node=node, role=role, what=say(one.record), heard=True)

    yield from heard(RoleStarted, lambda r: f"started, pid {r.pid}")
    yield from heard(RoleReady, _ready)
    yield from _mapped(seen, role)
    yield from heard(Observed, lambda r: f"{r.subject} {r.value} {r.detail}".strip())
    yield from _iterations(seen, role)
    for done in seen.seen(ChannelDone, role=role):
        what = f"channel {done.record.channel} done, {size(done.record.bytes)}"
        yield _own(seen, role, done.record.ended_s, done.at_s, what)
    for failed in seen.seen(RoleFailed, role=role):
        what = f"failed: {failed.record.klass} {failed.record.message}"
        yield _own(seen, role, failed.record.at_s, failed.at_s, what, bad=True)
    for exit_ in seen.seen(RoleExited, role=role):
        bad = exit_.record.code != 0 or exit_.record.reason != "exited"
        what = f"{exit_.record.reason} with {exit_.record.code}"
        yield _own(seen, role, exit_.record.at_s, exit_.at_s, what, bad=bad)


def _ready(record: RoleReady) -> str:
    return f"ready on {record.address}:{record.port}" if record.port else "ready"


def _mapped(seen: Exchange, role: str) -> Iterator[Event]:
    """All channels in one line, when the last of them was told."""
    mapped = seen.seen(ChannelMapped, role=role)
    if mapped:
        where = ", ".join(f"{one.record.channel} to {one.record.nic}" for one in mapped[:8])
        what = f"{counted(len(mapped), 'channel')} mapped: {where}{', ...' * (len(mapped) > 8)}"
        at_s = mapped[-1].at_s
        yield Event(at_s=at_s, node=seen.nodes[role], role=role, what=what, heard=True)


def _iterations(seen: Exchange, role: str) -> Iterator[Event]:
    done = seen.seen(IterationDone, role=role)
    if done:
        first = done[0]
        yield _own(seen, role, first.record.started_s, first.at_s, "first iteration begins")
    shown = done if len(done) <= MOST_ITERATIONS else [*done[:2], done[-1]]
    for one in shown:
        took = seconds(one.record.ended_s - one.record.started_s)
        what = f"iteration {one.record.iteration} ends, took {took}"
        if one is shown[-1] and len(shown) < len(done):
            what += f"; {len(done) - len(shown)} before it not listed"
        yield _own(seen, role, one.record.ended_s, one.at_s, what)


def _damage(seen: Exchange) -> Iterator[Event]:
    found = seen.seen(Damage)
    for one in found[:MOST_DAMAGE]:
        r = one.record
        what = (
            f"{r.kind} found in channel {r.channel}, chunk {r.chunk} of iteration {r.iteration}: "
            f"{counted(r.words_wrong, 'wrong word')}"
        )
        yield Event(at_s=one.at_s, node=r.node, role="server", what=what, heard=True, bad=True)
    if len(found) > MOST_DAMAGE:
        what = f"{counted(len(found) - MOST_DAMAGE, 'damaged chunk')} more"
        last = found[-1]
        yield Event(at_s=last.at_s, node=last.record.node, role="server", what=what, heard=True)


def _cause(told: Told) -> Iterator[Event]:
    first = cause(told.judged)
    if Outcome[first.outcome] > Outcome.PASS and first.at_s:
        what = f"what the verdict rests on: {headline(first)}"
        yield Event(at_s=first.at_s, node=first.node or CONTROLLER, what=what, heard=True, bad=True)


def _own(
    seen: Exchange, role: str, own_s: float, heard_s: float, what: str, *, bad: bool = False
) -> Event:
    """At the node's own time, if it told one and its clock was measured."""
    node = seen.nodes[role]
    clock = seen.last(ClockMeasured, node=node)
    known = clock is not None and own_s > 0
    # A record with a time of its own was shifted already when it was read.
    at_s = heard_s if not known else seen.on_our_clock(node, own_s, heard_s=heard_s)
    return Event(
        at_s=at_s,
        node=node,
        role=role,
        what=what,
        bound_s=clock.record.bound_s if clock and known else 0.0,
        heard=not known,
        bad=bad,
    )
