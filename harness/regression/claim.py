"""One claim of a group of figures: none of them is worse than in the last good nights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from harness.evidence import Compared, Judged
from harness.regression.beside import WHOLE
from harness.regression.rules import RULES
from harness.regression.scaling import Scaled
from harness.verdict import Outcome, counted
from harness.verdict.next_step import next_step
from harness.verdict.outcome import outcome_of

WORST = (
    "REGRESSION",
    "SUSPECT",
    "FEW_SAMPLES",
    "NO_BASELINE",
)  # which class a claim takes its word from


def judged(compared: Sequence[Compared], *, test: str, claim: str) -> Judged:
    """The worst figure names the class and the NIC; a NIC's figure before that of the whole."""
    red = [one for one in compared if one.outcome != Outcome.PASS.name]
    if not compared:
        return _red("NO_EVIDENCE", "no figure was measured", test=test, claim=claim)
    if not red:
        return Judged(
            test=test,
            claim=claim,
            outcome=Outcome.PASS.name,
            checked=len(compared),
            fact=_passed(compared),
            evidence=_lines(one for one in compared if one.klass),
        )
    first = min(red, key=_rank)
    others = f", and {len(red) - 1} more" if len(red) > 1 else ""
    return _red(
        first.klass,
        f"{'' if _nic(first) else f'{first.subject}: '}{first.fact}{_since(first)}{others}",
        test=test,
        claim=claim,
        nic=_nic(first),
        checked=len(compared) - sum(one.klass in WORST[2:] for one in compared),
        evidence=_lines(sorted(red, key=_rank)),
        fix=first.next_step,
    )


def judged_scaling(found: Scaled, *, test: str, claim: str) -> Judged:
    """The NIC that lost most is the culprit; the fact names all."""
    if not found.klass:
        return Judged(
            test=test, claim=claim, outcome=Outcome.PASS.name, checked=found.k, fact=found.fact
        )
    nic = next(iter(found.nics), "")
    return _red(found.klass, found.fact, test=test, claim=claim, nic=nic, checked=found.k)


def _red(
    klass: str,
    fact: str,
    *,
    test: str,
    claim: str,
    nic: str = "",
    checked: int = 0,
    evidence: tuple[str, ...] = (),
    fix: str = "",
) -> Judged:
    return Judged(
        test=test,
        claim=claim,
        outcome=outcome_of(klass).name,
        checked=checked,
        klass=klass,
        fact=fact,
        nic=nic,
        evidence=evidence,
        next_step=fix or next_step(klass, nic=nic),
    )


def _rank(one: Compared) -> tuple[int, bool, float]:
    return WORST.index(one.klass), not _nic(one), one.q


def _nic(one: Compared) -> str:
    return "" if WHOLE.fullmatch(one.subject) else one.subject


def _since(one: Compared) -> str:
    return f"; {one.changes[-1]}" if one.changes else ""


def _lines(compared: Iterable[Compared]) -> tuple[str, ...]:
    """One for all figures of which the same is said."""
    said: dict[tuple[str, str], dict[str, None]] = {}
    for one in compared:
        said.setdefault((one.klass, one.fact + _since(one)), {})[one.subject] = None
    return tuple(f"{klass} {', '.join(names)}: {fact}" for (klass, fact), names in said.items())


def _passed(compared: Sequence[Compared]) -> str:
    """How much it rests on, and how small a change would have been seen."""
    floors = [one.floor for one in compared]
    nights = [len(one.baseline) for one in compared]
    excluded = sum(one.excluded for one in compared)
    named = Counter(one.klass for one in compared if one.klass)
    but = f", {', '.join(f'{n} {klass}' for klass, n in named.items())}" if named else ""
    return (
        f"{len(compared)} series as in their last good nights{but}: "
        f"{counted(sum(one.k for one in compared), 'sample')}, {excluded} excluded, beside "
        f"{min(nights)} to {max(nights)} nights; a change counts from {min(floors):.1%} to "
        f"{max(floors):.1%}; at most {RULES.q_max:.0%} of such nights have a false alarm"
    )
