"""trend.html: one file that needs no other, a pure function of the history and its changes.

The order is the reader's: is anything worse, since when and what came in between; then every
series, the tests that cannot make up their mind, the planted faults, the runs.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.history.flakes import flakes
from harness.report.page.markup import Markup, el, fact, join, section
from harness.report.page.page import document
from harness.report.trend import parts
from harness.report.trend.past import ENOUGH, Past
from harness.report.trend.words import day
from harness.verdict import counted


def trend(past: Past) -> str:
    """The whole document; the same past gives the same bytes."""
    sections = [
        ("changes", "What changed", parts.changed(past)),
        ("series", "Every series", parts.every(past)),
        ("flakes", "Flaky tests", parts.flaky(past)),
        ("canaries", "Planted faults", parts.canaries(past)),
        ("runs", "Runs", parts.runs(past)),
    ]
    links = [el("li", el("a", title, href=f"#{name}")) for name, title, _ in sections]
    body = join(
        el("a", "Skip to what changed", href="#changes", class_="skip-link"),
        _head(past),
        el("nav", el("ul", links), class_="contents", aria_label="Parts of this page"),
        el("main", [section(*one) for one in sections]),
    )
    return document(f"Trend: {_sentence(past)}", body)


def _head(past: Past) -> Markup:
    first, last = past.runs[0], past.runs[-1]
    title = f"Trend of {counted(len(past.runs), 'run')}, {day(first.at_s)} to {day(last.at_s)}"
    return el(
        "header",
        el("h1", title),
        el("p", _sentence(past), class_=f"verdict is-{_colour(past)}"),
        el("dl", list(_facts(past)), class_="facts"),
        class_="head",
    )


def _colour(past: Past) -> str:
    if not past.long_enough:
        return "INCONCLUSIVE"
    return "FAIL" if _worse(past) else "PASS"


def _worse(past: Past) -> int:
    return sum(change.is_worse(series.better) for series, change in past.moved)


def _sentence(past: Past) -> str:
    if not past.moved:
        return _unmoved(len(past.long_enough), len(past.series))
    worse = _worse(past)
    counts = {"worse": worse, "better": len(past.moved) - worse}
    words = [f"{counted(count, 'change')} for the {way}" for way, count in counts.items() if count]
    return ", ".join(words)


def _unmoved(known: int, of: int) -> str:
    if not known:
        return "Too few nights to tell"
    few = f" in {known} of {of} series; the others have too few nights to tell"
    return f"Nothing changed{few if known < of else ''}"


def _facts(past: Past) -> Iterator[Markup]:
    yield from _green(past)
    found = flakes(past.runs, past.tests)
    tests = len({one.test for one in past.tests})
    yield fact("Flaky tests", f"{len(found)}", f"Of {counted(tests, 'test')}.")
    yield _canaries(past)
    why = f"With fewer than {ENOUGH} nights a change cannot be told from chance."
    yield fact("Series long enough", f"{len(past.long_enough)} of {len(past.series)}", why)
    taken = sum(one.taken for one in past.runs)
    out = sum(sum(one.excluded.values()) for one in past.runs)
    yield fact("Exchanges excluded", f"{out:,}", f"{counted(taken, 'exchange')} count.")


def _green(past: Past) -> Iterator[Markup]:
    known = list(parts.last_green(past))
    if not known:
        yield fact("Last green", "never", "No run in the history was green.")
    for one, after in known:
        name = f"Last green of {past.nodes(one.topology)}" if len(known) > 1 else "Last green"
        under = one.revision.get("revision", "no --hil-revision")
        why = f"{one.run}, {under}."
        why += f" Then, until {after.after}: {after.told()}." if after else " No run since."
        yield fact(name, day(one.at_s), why)


def _canaries(past: Past) -> Markup:
    each = [caught for run in past.runs for caught in run.canaries.values()]
    nights = sum(bool(run.canaries) for run in past.runs)
    if not each:
        return fact("Canaries caught", "none planted", "No run of the history planted a fault.")
    why = f"In {nights} of {counted(len(past.runs), 'run')}."
    return fact("Canaries caught", f"{sum(each):,} of {len(each):,}", why)
