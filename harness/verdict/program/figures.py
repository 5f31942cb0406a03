"""The rates that a program prints are what its bytes and its times make, and no NIC was slower.

Rates come here as 1e9 bytes a second. One that is off by 7 % was counted in GiB by one and in GB by
the other; one that is off by the number of iterations was made from the time of all of them, tabled
as that of one. Printed figures are rounded: two decimals of a rate, hundredths of a millisecond.
"""

from __future__ import annotations

from harness.evidence import Judged
from harness.verdict.exchange import Exchange
from harness.verdict.finding import breaks, counted, holds
from harness.verdict.limits import LIMITS
from harness.verdict.program.pace import shortest_s
from harness.verdict.program.words import last, name, speakers, started
from harness.verdict.speed import line_gb_s

CLAIM = "figures"
SHARE = 0.01  # of the rate; below the 7 % between GiB and GB
ROUNDED_GB_S = 0.0055  # half of a hundredth of a GiB/s
ROUNDED_S = 5.5e-6
GIB_GB = 1024**3 / 1e9


def figures(exchange: Exchange) -> Judged:
    """Every rate, then all of them together."""
    wrong = [_wrong(exchange, role, process) for role, process in speakers(exchange)]
    if red := next((one for one in wrong if one), None):
        return red
    return _too_fast(exchange) or _outrun(exchange) or _proven(exchange)


def _wrong(exchange: Exchange, role: str, process: int) -> Judged | None:
    rate, parts = last(exchange, role, process, "rate_gb_s"), _parts(exchange, role, process)
    if rate is None or parts is None:
        lacks = "no rate" if rate is None else "no time that belongs to its rate"
        fact = f"{name(exchange, role, process)} printed {lacks}"
        return _red(exchange, "NO_EVIDENCE", fact, role)
    size_bytes, seconds = parts
    if size_bytes <= 0:
        fact = f"{name(exchange, role, process)} owes no bytes that its rate could come from"
        return _red(exchange, "NO_EVIDENCE", fact, role)
    printed = (
        f"{name(exchange, role, process)} printed {rate:.3f} GB/s, but {size_bytes:,.0f} bytes"
    )
    if seconds <= 0:
        fact = f"{printed} cannot have moved in {seconds * 1e3:.3f} ms"
        return _red(exchange, "FIGURES", fact, role)
    made = size_bytes / seconds / 1e9
    if abs(made - rate) <= SHARE * made + ROUNDED_GB_S + made * ROUNDED_S / seconds:
        return None
    why = _why(exchange, rate / made)
    fact = f"{printed} in {seconds * 1e3:.3f} ms are {made:.3f} GB/s{why}"
    return _red(exchange, "FIGURES", fact, role)


def _parts(exchange: Exchange, role: str, process: int) -> tuple[float, float] | None:
    """Bytes and seconds that its rate must come from: of one iteration, or of all."""
    record = started(exchange, role)
    due = record.due_bytes / len(record.processes) if record else 0.0
    size = last(exchange, role, process, "total_bytes") or due
    average_s = last(exchange, role, process, "average_s")
    if average_s is not None:
        return size / exchange.plan.iterations, average_s
    total_s = last(exchange, role, process, "total_s")
    return None if total_s is None else (size, total_s)


def _why(exchange: Exchange, ratio: float) -> str:
    """What makes a rate be off by such a factor."""
    iterations = exchange.plan.iterations
    reasons = {
        f"its time is that of all {iterations} iterations, told as that of one": iterations,
        "GiB were counted as GB": GIB_GB,
        "GB were counted as GiB": 1 / GIB_GB,
    }
    near = [why for why, factor in reasons.items() if abs(ratio / factor - 1) <= 2 * SHARE]
    return f": {near[0]}" if near else ""


def _too_fast(exchange: Exchange) -> Judged | None:
    """More than the lines can carry, where their rate is known; each process by itself, since
    nobody says which of them ran at the same time."""
    line = line_gb_s(exchange)
    for role, process in speakers(exchange):
        rate = last(exchange, role, process, "rate_gb_s") or 0.0
        if line and rate > LIMITS.rate_share_max * line:
            who = name(exchange, role, process)
            fact = f"{who} printed {rate:.2f} GB/s, the lines carry {line:.3f}"
            return _red(exchange, "TOO_FAST", fact, role)
    return None


def _outrun(exchange: Exchange) -> Judged | None:
    """A time in which its NICs did not carry as much, by the observer's samples of them. Which of
    several processes ran at the same time nobody says; all that moved, the NICs carried."""
    for role, process in speakers(exchange):
        if (parts := _parts(exchange, role, process)) is None:
            continue  # which is red before
        size_bytes, seconds = parts
        needed_s = shortest_s(exchange, role, size_bytes)
        if seconds < needed_s:
            fact = (
                f"{name(exchange, role, process)} printed {seconds * 1e3:.3f} ms for "
                f"{size_bytes:,.0f} bytes, its NICs needed at least {needed_s * 1e3:.0f} ms for "
                "as many"
            )
            return _red(exchange, "TOO_FAST", fact, role)
    return None


def _proven(exchange: Exchange) -> Judged:
    count = len(speakers(exchange))
    program = exchange.plan.program.rpartition("/")[2]
    fact = f"{counted(count, 'rate')} of {program} made from its bytes and times"
    return holds(exchange, CLAIM, checked=count, fact=f"{fact}; {exchange.gb_s:.3f} GB/s in all")


def _red(exchange: Exchange, klass: str, fact: str, role: str) -> Judged:
    at_s, node = exchange.ended_s, exchange.nodes[role]
    return breaks(exchange, CLAIM, klass, fact, at_s=at_s, node=node)
