"""Why the speed of an exchange must not count: red in another respect, or measured on a GPU or a
machine that somebody else used or held back."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evidence import ExchangeEnded, Judged
from harness.verdict import Outcome
from harness.verdict.exchange import Exchange
from harness.verdict.foreign_cpu import foreign_cpu
from harness.verdict.gpu_fit import unfit

UNFINISHED = "unfinished"
PLANTED = "a planted fault"
NO_TRANSFER = "no transfer"
TOO_SHORT = "fits into the windows"
NO_RATE = "no rate"
CPU_FOREIGN = "CPU_FOREIGN"


def not_meant(seen: Exchange) -> str:
    """Why the exchange is nobody's sample, however it went; '' of one that is.

    What fits into the windows at once says how fast a burst is, and not what the line carries.
    """
    plan = seen.plan
    if plan.faults:
        return PLANTED
    if plan.exercise in ("bootstrap", "window"):
        return NO_TRANSFER
    if seen.last(ExchangeEnded) is None:
        return UNFINISHED
    chunks = plan.chunks * plan.iterations
    return "" if chunks > plan.channels * plan.recv_window else TOO_SHORT


def exclusion(seen: Exchange, judged: Sequence[Judged]) -> str:
    """The class of what keeps this sample from counting; '' when nothing does."""
    red = [one for one in judged if one.outcome != Outcome.PASS.name]
    if red:
        return red[0].klass or red[0].outcome
    if set(seen.plan.claims) - {one.claim for one in judged}:
        return "UNSETTLED"
    if found := unfit(seen, test=seen.planned.test, claim="speed"):
        return found.klass
    return CPU_FOREIGN if any(other.disturbs for other in foreign_cpu(seen)) else ""
