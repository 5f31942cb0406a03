"""How a check says what it found: one `holds`, one `breaks`, and the sentence people read first.

`holds` cannot be said of nothing: with no comparison behind it the claim is open. `breaks` takes
the outcome and the next step from the class, so that checks state facts and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.evidence import Judged
from harness.verdict.exchange import Exchange
from harness.verdict.limits import LIMITS
from harness.verdict.next_step import next_step
from harness.verdict.outcome import Outcome, outcome_of


def holds(
    exchange: Exchange,
    claim: str,
    *,
    checked: int,
    fact: str,
    evidence: Sequence[str] = (),
    test: str = "",
) -> Judged:
    """The claim is true, on `checked` comparisons. `test` is the exchange's unless it is given."""
    if checked <= 0:
        fact = f"nothing was compared: {fact}"
        at_s = exchange.ended_s
        return breaks(exchange, claim, "NO_EVIDENCE", fact, at_s=at_s, test=test)
    return Judged(
        test=test or exchange.planned.test,
        claim=claim,
        outcome=Outcome.PASS.name,
        checked=checked,
        fact=fact,
        gpu=exchange.gpu,
        evidence=_capped(evidence),
    )


def breaks(
    exchange: Exchange,
    claim: str,
    klass: str,
    fact: str,
    *,
    at_s: float,
    node: str = "",
    nic: str = "",
    gpu: int = -1,
    channel: int = -1,
    chunk: int = -1,
    checked: int = 0,
    evidence: Sequence[str] = (),
    test: str = "",
) -> Judged:
    """The claim is false, or open, or the bench's trouble: the class says which. In a mesh it is
    the exchange's GPU that is named, unless another is."""
    gpu = exchange.gpu if gpu < 0 else gpu
    return Judged(
        test=test or exchange.planned.test,
        claim=claim,
        outcome=outcome_of(klass).name,
        checked=checked,
        fact=fact,
        klass=klass,
        node=node,
        nic=nic,
        gpu=gpu,
        channel=channel,
        chunk=chunk,
        evidence=_capped(evidence),
        next_step=next_step(klass, node=node, nic=nic, gpu=gpu, channel=channel),
        at_s=round(at_s, 6),
    )


def headline(judged: Judged) -> str:
    """`CLASS node/GPU/NIC/channel: fact`, without the places that are not known."""
    places = [judged.node, f"gpu {judged.gpu}" if judged.gpu >= 0 else "", judged.nic]
    places += [f"channel {judged.channel}"] if judged.channel >= 0 else []
    places += [f"chunk {judged.chunk}"] if judged.chunk >= 0 else []
    place = "/".join(filter(None, places))
    word = judged.klass or judged.outcome
    return f"{word} {place}: {judged.fact}" if place else f"{word}: {judged.fact}"


def counted(number: int, noun: str) -> str:
    """`1 channel`, `4 channels`, `8,388,608 words`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _capped(lines: Sequence[str]) -> tuple[str, ...]:
    most = LIMITS.evidence_lines
    if len(lines) <= most:
        return tuple(lines)
    return (*lines[:most], f"and {len(lines) - most} more in the journal")
