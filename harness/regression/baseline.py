"""The baseline of a series: its last good nights, or why there are too few.

Good nights have samples enough, are younger than what was acknowledged, and are not part of a
worsening that nobody has acknowledged, be it dated already or only suspected: or every regression
would become the norm by waiting.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.history import Key, Night, Series
from harness.regression.beside import beside
from harness.regression.changes import Change, changes
from harness.regression.known import Known
from harness.regression.night import Array, figures, level
from harness.regression.odds import odds
from harness.regression.rules import DAY_S, RULES, Rules

SUSPECTS = 8  # by then change points have dated it


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """`problem` says why nothing can be compared with these nights; '' when it can."""

    nights: tuple[Night, ...]
    levels: Array
    since: tuple[Change, ...] = ()  # what became of the series since their first
    lost: Change | None = None  # the worsening that is still open
    suspects: int = 0  # nights since, each worse than all of these: too few yet for a change point
    problem: str = ""
    fix: str = ""

    @property
    def runs(self) -> tuple[str, ...]:
        return tuple(night.run for night in self.nights)

    @property
    def digest(self) -> str:
        """Of the runs and every sample: two verdicts with one digest had one baseline."""
        told = "\n".join(f"{n.run} {' '.join(map(repr, n.samples))}" for n in self.nights)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def baseline(
    tonight: Series, history: Sequence[Series], known: Known, rules: Rules = RULES
) -> Baseline:
    """Of the same figure, from nights before tonight's."""
    key, night = tonight.key, tonight.nights[-1]
    past = earlier(tonight, history, known)
    found = changes(past)
    bad, lost = _bad(past, found)
    good = [
        one
        for place, one in enumerate(past.nights)
        if place not in bad and len(one.samples) >= rules.samples_min
    ]
    suspects = _suspects(good, past, rules)
    good = good[: len(good) - suspects][-rules.nights_max :]
    made = Baseline(
        nights=tuple(good),
        levels=figures(good, past, level),
        since=tuple(c for c in found if good and c.at_s > good[0].at_s),
        lost=lost,
        suspects=suspects,
    )
    if few := _few(made, key, history, known, rules):
        return replace(made, problem=few[0], fix=few[1])
    if old := _stale(past, night, known, rules):
        return replace(made, problem=old[0], fix=old[1])
    return made


def of_next_night(
    series: Series, history: Sequence[Series], known: Known, now_s: float
) -> Baseline:
    """What a night that is measured now would be compared with."""
    night = Night(run="", at_s=now_s, samples=())
    return baseline(replace(series, nights=(night,)), history, known)


def baseline_runs(history: Sequence[Series], known: Known, now_s: float) -> set[str]:
    """The runs of all series' baselines, which nobody may forget."""
    every = [*history, *beside(history)]
    return {run for one in every for run in of_next_night(one, every, known, now_s).runs}


def _suspects(good: Sequence[Night], past: Series, rules: Rules) -> int:
    """How many of the last nights are each worse than the nights before them all. A bad night with
    a good one after it was the night's own, and stays for what nights can be like."""
    levels, better = figures(good, past, level), past.better
    for count in range(min(SUSPECTS, len(good) - rules.nights_min), 0, -1):
        before = levels[: len(good) - count][-rules.nights_max :]
        last = levels[len(good) - count :]
        worst = before.min() if better == "higher" else -before.max()
        if any((one if better == "higher" else -one) >= worst for one in last):
            continue
        if all(odds(float(one), before).is_worse(better, rules.q_max) for one in last):
            return count
    return 0


def earlier(tonight: Series, history: Sequence[Series], known: Known) -> Series:
    """The nights before, of every testbed that counts, in the order of their time; none that is
    older than what was acknowledged."""
    sources, night = known.sources(tonight.key.fingerprint), tonight.nights[-1]
    since_s = known.since_s(tonight.key)
    nights = {
        one.run: one
        for series in history
        if series.key.fingerprint in sources and _figure(series.key) == _figure(tonight.key)
        for one in series.nights
        if one.run != night.run and since_s <= one.at_s < night.at_s
    }
    return replace(tonight, nights=tuple(sorted(nights.values(), key=lambda one: one.at_s)))


def _figure(key: Key) -> tuple[str, str, str]:
    return key.plan, key.metric, key.subject


def is_near(value: float, lost: Change) -> bool:
    """Whether a level is still nearer to what the worsening made of it."""
    return abs(value - lost.after) <= abs(value - lost.before)


def _bad(past: Series, found: Sequence[Change]) -> tuple[set[int], Change | None]:
    """Places of nights since a worsening that nobody acknowledged, until the level came back; and
    the worsening from which it has not."""
    moves = [change for change in found if change.kind != "spread"]
    ends = [*(change.night for change in moves), len(past.nights)][1:]
    bad: set[int] = set()
    lost: Change | None = None
    for change, end in zip(moves, ends, strict=True):
        if lost is None and change.is_worse(past.better):
            lost = change
        elif lost and not is_near(change.after, lost):
            lost = None
        if lost:
            bad |= set(range(change.night, end))
    return bad, lost


def _few(
    made: Baseline, key: Key, history: Sequence[Series], known: Known, rules: Rules
) -> tuple[str, str] | None:
    """Too few good nights, and what to do about it."""
    lacking = rules.nights_min - len(made.nights)
    if lacking <= 0:
        return None
    fix = f"Run the nightly tests {lacking} more times"
    if others := _elsewhere(key, history, known):
        told = ", ".join(f"{count} of testbed {name}" for name, count in others.items())
        fix += f"; or, if these compare, adopt them ({told}): python -m harness baseline adopt"
    return (
        f"{len(made.nights)} good nights of this testbed and plan, expected at least "
        f"{rules.nights_min}",
        fix,
    )


def _stale(past: Series, night: Night, known: Known, rules: Rules) -> tuple[str, str] | None:
    """Nobody has measured for long. Bad nights count here: that they were bad is known since then,
    so nothing can have happened unnoticed. A night without samples knows nothing."""
    last = [one for one in past.nights if one.samples][-1]
    vouched_s = max(last.at_s, known.vouched_s(past.key.fingerprint))
    age_days = (night.at_s - vouched_s) / DAY_S
    if age_days <= rules.age_max_days:
        return None
    return (
        f"the last night, {last.run}, is {age_days:.0f} days old, expected at most "
        f"{rules.age_max_days:g}",
        f"If nothing has changed since: python -m harness baseline adopt {past.key.fingerprint} "
        "--reason WHY",
    )


def _elsewhere(key: Key, history: Sequence[Series], known: Known) -> dict[str, int]:
    """How many nights other testbeds have of the same figure."""
    return {
        series.key.fingerprint: len(series.nights)
        for series in history
        if _figure(series.key) == _figure(key)
        and series.key.fingerprint not in known.sources(key.fingerprint)
    }
