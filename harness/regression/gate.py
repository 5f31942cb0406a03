"""Tonight's gate: every figure of tonight against its last good nights.

All figures of the night are corrected together (Benjamini and Hochberg: what one exchange says of
its NICs goes up and down together, which that method allows). To be named, a figure must besides
differ by more than any good night did from the others, and by more than anybody would act on: like
compared with like sets the least effect. One night that lies little further off may be its own
trouble, since other work on machines comes and goes: it is SUSPECT, and the next one decides. A
worsening that change points have dated, and from which tonight has not come back, needs no further
effect: its nights have shown it together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from harness.evidence import Compared
from harness.history import Key, Series
from harness.regression.baseline import baseline, earlier, is_near
from harness.regression.beside import beside
from harness.regression.changes import Change
from harness.regression.known import UNSAID, Known
from harness.regression.night import level
from harness.regression.odds import Odds, odds
from harness.regression.rules import RULES, Rules
from harness.regression.scipy_stats import stats
from harness.verdict import Outcome


def gate(
    tonight: Sequence[Series],
    history: Sequence[Series],
    known: Known = UNSAID,
    rules: Rules = RULES,
) -> list[Compared]:
    """One verdict a series of tonight, in their order, then one a NIC beside its siblings, and one
    a figure that tonight should have and has not."""
    ours = [*tonight, *beside(tonight), *_gone(tonight, history, known)]
    theirs = [*history, *beside(history)]
    drafts = [_compared(one, theirs, known, rules) for one in ours]
    judged = [place for place, draft in enumerate(drafts) if not draft.klass]
    if judged:
        q_values = stats().false_discovery_control(
            [drafts[place].p for place in judged], method="bh"
        )
        for place, q in zip(judged, q_values, strict=True):
            drafts[place] = _named(replace(drafts[place], q=float(q)), ours[place], rules)
    return drafts


def _gone(tonight: Sequence[Series], history: Sequence[Series], known: Known) -> list[Series]:
    """Figures of tonight's plans that earlier nights had: lost, they would not be missed."""
    ours, plans = {one.key for one in tonight}, {one.key.plan: one for one in tonight}
    found: dict[Key, Series] = {}
    for one in history:
        if same := plans.get(one.key.plan):
            key = replace(one.key, fingerprint=same.key.fingerprint)
            night = replace(same.nights[-1], samples=(), excluded=0)
            found[key] = replace(one, key=key, nights=(night,))
    return [
        one
        for key, one in found.items()
        if key not in ours and any(n.samples for n in earlier(one, history, known).nights)
    ]


def _compared(tonight: Series, history: Sequence[Series], known: Known, rules: Rules) -> Compared:
    """With its p-value; or, if there is nothing to compare, with the reason as its class."""
    key, night = tonight.key, tonight.nights[-1]
    draft = Compared(
        fingerprint=key.fingerprint,
        plan=key.plan,
        metric=key.metric,
        subject=key.subject,
        outcome=Outcome.INCONCLUSIVE.name,
        klass="",
        fact="",
        level=level(night, tonight) if night.samples else 0.0,
        k=len(night.samples),
        excluded=night.excluded,
    )
    if len(night.samples) < rules.samples_min:
        return _few(draft, rules)
    found = baseline(tonight, history, known, rules)
    draft = replace(draft, baseline=found.runs, digest=found.digest)
    if found.problem:
        return replace(draft, klass="NO_BASELINE", fact=found.problem, next_step=found.fix)
    seen = odds(draft.level, found.levels)
    lost = found.lost if found.lost and is_near(draft.level, found.lost) else None
    return replace(
        draft,
        effect=seen.effect,
        floor=0.0 if lost else seen.floor,
        p=min(seen.p, lost.p) if lost else seen.p,
        first=lost.run if lost else "",
        suspects=found.suspects,
        changes=tuple(map(told, found.since)),
    )


def _few(draft: Compared, rules: Rules) -> Compared:
    excluded = f", {draft.excluded} excluded" if draft.excluded else ""
    return replace(
        draft,
        klass="FEW_SAMPLES",
        fact=f"{draft.k} samples{excluded}, expected at least {rules.samples_min}",
        next_step="See why samples were excluded; run the nightly tests again",
    )


def _named(draft: Compared, tonight: Series, rules: Rules) -> Compared:
    """What the corrected p-value and the least effect make of it."""
    nights = len(draft.baseline)
    excluded = f", {draft.excluded} excluded" if draft.excluded else ""
    differ = f", which differ by up to {draft.floor:.1%}" if draft.floor > rules.effect_min else ""
    fact = (
        f"{draft.metric} {draft.level:.4g}, {draft.effect:+.1%} of {nights} good nights{differ} "
        f"(q {draft.q:.2g}, {draft.k} samples{excluded})"
    )
    corrected = Odds(draft.effect, draft.floor, draft.q)
    if not corrected.is_odd(rules.q_max):
        known = "DATED" if draft.first else ""  # sure of its series, and not among all of tonight's
        return replace(draft, outcome=Outcome.PASS.name, klass=known, fact=fact)
    if not corrected.is_worse(tonight.better, rules.q_max):
        return replace(draft, outcome=Outcome.PASS.name, klass="FASTER", fact=fact)
    clear = abs(draft.effect) > rules.clear_times * draft.floor
    if not clear and not draft.suspects:
        return replace(draft, klass="SUSPECT", fact=f"{fact}; one such night may be its own")
    fix = (
        f"See what came in then; if it is meant to be so: python -m harness baseline acknowledge "
        f"{draft.first or tonight.nights[-1].run} --subject '{draft.subject}' --reason WHY"
    )
    return replace(draft, outcome=Outcome.FAIL.name, klass="REGRESSION", fact=fact, next_step=fix)


def told(change: Change) -> str:
    """`step -5.0% since 2026-03-01 (run 20260301-...)`."""
    day = datetime.fromtimestamp(change.at_s, UTC).strftime("%Y-%m-%d")
    return f"{change.kind} {change.relative:+.1%} since {day} (run {change.run})"
