"""Where the time of one exchange goes, read from its records. Pure.

An exchange is cut at moments that its records name, on the controller's clock; the phases add up to
the whole. Everything but the transfer is the harness's own cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.errors import EvidenceError
from harness.evidence import (
    ClockMeasured,
    Entry,
    ExchangePlanned,
    IterationDone,
    LeaseTaken,
    Note,
    Record,
    RoleExited,
    RoleReady,
)
from harness.verdict.exchange import Exchange

TRANSFER = "transfer"
OBSERVING = "observing "


def phases(entries: Sequence[Entry]) -> dict[str, float]:
    """Seconds by phase, in order of time."""
    began_s = _last(entries, lambda r: isinstance(r, ExchangePlanned))
    first_s, last_s = _transfer(entries)
    marks = {
        "lease": _last(entries, lambda r: isinstance(r, LeaseTaken)),
        "observe": _last(entries, lambda r: isinstance(r, Note) and r.text.startswith(OBSERVING)),
        "launch": _last(entries, lambda r: isinstance(r, RoleReady)),
        "bootstrap": began_s + first_s,
        TRANSFER: began_s + last_s,
        "end": _last(entries, lambda r: isinstance(r, RoleExited)),
        "settle": entries[-1].at_s,
    }
    found, before_s = {}, began_s
    for name, at_s in marks.items():
        found[name] = at_s - before_s
        before_s = at_s
    return found


def fixed_s(found: dict[str, float]) -> float:
    """All that is not traffic."""
    return sum(seconds for name, seconds in found.items() if name != TRANSFER)


def _last(entries: Sequence[Entry], wanted: Callable[[Record], bool]) -> float:
    """When the last such record was written."""
    for entry in reversed(entries):
        if wanted(entry.record):
            return entry.at_s
    raise EvidenceError("an exchange without all of its phases", expected="one that was finished")


def _transfer(entries: Sequence[Entry]) -> tuple[float, float]:
    """The client's first post and last byte, in seconds since the exchange began."""
    exchange = Exchange(entries)
    done = exchange.seen(IterationDone, role="client")
    if not done:
        raise EvidenceError("an exchange without an iteration", expected="one that was finished")
    node, heard_s = exchange.nodes["client"], done[-1].at_s
    if not exchange.seen(ClockMeasured, node=node):
        raise EvidenceError(f"{node}'s clock was not measured", expected="one that can be read")
    first_s = min(seen.record.started_s for seen in done)
    last_s = max(seen.record.ended_s for seen in done)
    return (
        exchange.on_our_clock(node, first_s, heard_s=heard_s),
        exchange.on_our_clock(node, last_s, heard_s=heard_s),
    )
