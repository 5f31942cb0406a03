"""The windows hold what they should and refuse one more, on every channel.

The plugin takes 16 requests and refuses the 17th in its own words; the sliding windows above it
hold what the plan says. While one channel was held back, all others must have finished.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.evidence import Judged, Observed
from harness.plan.plan import MAX_REQUESTS
from harness.verdict.exchange import Exchange, Seen
from harness.verdict.finding import breaks, holds

CLAIM = "window"
REFUSAL = "unable to allocate requests"  # the plugin's words for one request too many


def window(exchange: Exchange) -> Judged:
    checked = 0
    for role, subject, channel, expected in _expected(exchange):
        seen = exchange.last(Observed, role=role, subject=subject, channel=channel)
        if fact := _wrong(seen, role, subject, expected):
            return breaks(
                exchange,
                CLAIM,
                "WINDOW" if seen else "NO_EVIDENCE",
                fact,
                at_s=seen.at_s if seen else exchange.ended_s,
                node=exchange.nodes[role],
                nic=exchange.nic(role, channel),
                channel=channel,
                checked=checked,
            )
        checked += 1
    plan = exchange.plan
    fact = (
        f"{plan.channels} channels hold {MAX_REQUESTS} requests and refuse one more; windows of "
        f"{plan.recv_window} and {plan.send_window}; a held channel held back no other"
    )
    return holds(exchange, CLAIM, checked=checked, fact=fact)


def _expected(exchange: Exchange) -> Iterator[tuple[str, str, int, int]]:
    """Role, subject, channel and value of everything that must have been observed."""
    plan = exchange.plan
    for channel in range(plan.channels):
        for role, verb, size in (
            ("server", "recv", plan.recv_window),
            ("client", "send", plan.send_window),
        ):
            yield role, f"{verb}_posted", channel, MAX_REQUESTS
            yield role, f"{verb}_refused", channel, 1
            yield role, f"{verb}_window", channel, size
    held = exchange.last(Observed, role="server", subject="others_progressed")
    channel = held.record.channel if held else 0
    yield "server", "others_progressed", channel, plan.chunks - plan.channel_chunks(channel)


def _wrong(seen: Seen[Observed] | None, role: str, subject: str, expected: int) -> str:
    """What is wrong with one observation; '' when it is as expected."""
    if seen is None:
        return f"the {role} told no {subject}"
    if seen.record.value != expected:
        return f"{subject} is {seen.record.value}, expected {expected}"
    if subject.endswith("_refused") and REFUSAL not in seen.record.detail:
        return f"refused with {seen.record.detail!r}, expected the words {REFUSAL!r}"
    return ""
