"""Tonight beside the last good nights: every figure that was compared, the worst first.

A run that compared nothing has no such part: a page that says nothing of earlier nights must not
look as if nothing had changed since.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.evidence import Compared
from harness.report.page.badge import badge
from harness.report.page.markup import Child, Markup, el, join
from harness.report.page.table import table
from harness.report.page.units import metric, value
from harness.verdict import Outcome, counted, outcome_named

HEADS = ("Figure", "Verdict", "Tonight", "Change", "Counts from", "q", "Samples", "Baseline")
NUMERIC = (2, 3, 4, 5, 6)
SHOWN = 200  # rows; a night of many plans has thousands, and the worst come first


def nights(compared: Sequence[Compared]) -> Markup:
    """What got worse, in words, and then a row a figure."""
    worst = sorted(compared, key=_rank)
    bad = [one for one in worst if outcome_named(one.outcome) > Outcome.PASS]
    said = f"{counted(len(compared), 'figure')} compared, {len(bad)} not as before or not known."
    left = len(worst) - SHOWN
    return join(
        el("p", said),
        el("ul", [el("li", _told(one)) for one in bad[:SHOWN]]) if bad else None,
        table("Tonight and the last good nights", HEADS, map(_row, worst[:SHOWN]), numeric=NUMERIC),
        el("p", f"{left} more, none of them worse, are in journal.jsonl.") if left > 0 else None,
    )


def _told(one: Compared) -> Child:
    since = f" Since run {one.first}." if one.first else ""
    next_step = f" Next: {one.next_step}" if one.next_step else ""
    return [
        badge(outcome_named(one.outcome)),
        f" {one.klass} {one.subject}: {one.fact}.{since}{next_step}",
    ]


def _row(one: Compared) -> Sequence[Child]:
    known = bool(one.baseline)
    span = f"{one.baseline[0]} to {one.baseline[-1]}" if known else "none"
    return (
        f"{one.subject}, {metric(one.metric)}, plan {one.plan[:6]}",
        [badge(outcome_named(one.outcome)), f" {one.klass}" if one.klass else ""],
        value(one.metric, one.level),
        f"{one.effect:+.1%}" if known else "",
        f"{one.floor:.1%}" if known else "",
        f"{one.q:.2g}" if known else "",
        f"{one.k}" + (f" (and {one.excluded} excluded)" if one.excluded else ""),
        f"{counted(len(one.baseline), 'run')}, {span}" if known else span,
    )


def _rank(one: Compared) -> tuple[int, float, str, str]:
    return -outcome_named(one.outcome), -abs(one.effect), one.subject, one.metric
