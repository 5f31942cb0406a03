"""The parts of the trend page: what changed, every series, flakes, canaries and runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.history import Kept, Series
from harness.history.blame import TOLD, Range, between, blame
from harness.history.flakes import flakes
from harness.report.page.badge import badge
from harness.report.page.markup import Child, Markup, el, join
from harness.report.page.table import as_table, table
from harness.report.page.units import metric, moment, value
from harness.report.trend.chart import chart, levels
from harness.report.trend.past import ENOUGH, Change, Past
from harness.report.trend.words import day, kind
from harness.report.trend.words import levels as both
from harness.verdict import Outcome, counted, outcome_named

LATEST = 30  # nights, runs and flakes that a table shows; the export has all
CANARIES = 50
MOST = 200  # changes
RULES = (
    "A line is the median of a night's exchanges, the band its quartiles (of fewer than four "
    "exchanges, all of them). Dashed: a change, with its size. Dotted: another kernel, driver, "
    "firmware or plugin. Exchanges that must not count are in no figure; how many there were is "
    "said."
)


def changed(past: Past) -> Child:
    if not past.moved:
        return el("p", _unmoved(past))
    shown = past.moved[:MOST]
    return [
        el("ol", [_moved(past, *one) for one in shown], class_="index"),
        _older(len(past.moved) - len(shown)),
    ]


def _older(count: int) -> Markup | None:
    return el("p", f"and {count} older ones") if count else None


def _unmoved(past: Past) -> str:
    known = len(past.long_enough)
    few = f"{len(past.series) - known} have fewer than {ENOUGH} nights: too few to tell."
    if not known:
        return f"No change can be found: all {few}"
    none = f"None of {known} series changed: neither a step, nor a drift, nor a wider spread."
    return none if known == len(past.series) else f"{none} {few}"


def _moved(past: Past, series: Series, change: Change) -> Markup:
    came = blame(series.nights, change.night)
    return _item(
        day(series.nights[change.night].at_s),
        join(el("strong", _name(series)), " ", _verdict(change.is_worse(series.better))),
        f"{kind(change)}: {both(series, change)}",
        f"Between {came.before} and {came.after}: {came.told()}.",
        el("span", past.plan(series.key.plan), class_="muted"),
    )


def _item(when: str, *lines: Child) -> Markup:
    parts = [join(el("br"), line) if at else line for at, line in enumerate(lines)]
    return el("li", el("span", when), el("span", parts))


def _name(series: Series) -> str:
    return f"{series.key.subject}, {metric(series.key.metric)}"


def _verdict(worse: bool) -> Markup:
    words, colour = ("✕ worse", "FAIL") if worse else ("● better", "PASS")
    return el("span", words, class_=f"badge is-{colour}")


def every(past: Past) -> Child:
    """Charts by testbed and plan: plans in which something changed before others."""
    parts = []
    for topology in past.topologies:
        plans = _plans(past, topology)
        title = f"Testbed {past.nodes(topology)} ({topology[:6]})"
        parts.append(el("h3", title))
        parts.append(join(_plan(past, plan, series) for plan, series in plans))
        if not plans:
            parts.append(el("p", "No run on it has a sample."))
    return [el("p", RULES), *parts]


def _plans(past: Past, topology: str) -> list[tuple[str, list[Series]]]:
    groups: dict[str, list[Series]] = {}
    for one in past.series:
        if one.key.fingerprint == topology:
            groups.setdefault(one.key.plan, []).append(one)
    moved = {id(one) for one, _ in past.moved}

    def order(pair: tuple[str, list[Series]]) -> tuple[bool, int, str]:
        nights = max(len(one.nights) for one in pair[1])
        return not any(id(one) in moved for one in pair[1]), -nights, past.plan(pair[0])

    return sorted(groups.items(), key=order)


def _plan(past: Past, plan: str, series: Sequence[Series]) -> Markup:
    """Those with two nights as pictures, and all of them as a table."""
    name = f"{series[0].key.fingerprint}-{plan}"
    drawn = [one for one in _ordered(series) if len(levels(one)) > 1]
    alone = len(series) - len(drawn)
    pictures = [chart(one, past.moved_in(one), f"{name}-{at}") for at, one in enumerate(drawn)]
    return join(
        el("h4", past.plan(plan)),
        el("div", pictures, class_="histograms") if pictures else None,
        el("p", f"{alone} series of one night alone are in the table.", class_="meta")
        if alone
        else None,
        as_table("Medians as a table", _medians(past.plan(plan), _ordered(series))),
        el("p"),
    )


def _ordered(series: Sequence[Series]) -> list[Series]:
    """The whole before its NICs, speed before what it cost."""
    names = ("gb_s", "iteration_s", "cpu_s_per_gb")

    def order(one: Series) -> tuple[int, bool, int, str]:
        metric_, subject = one.key.metric, one.key.subject
        place = names.index(metric_) if metric_ in names else len(names)
        whole = subject.rpartition(" ")[2].startswith(("channel", "rail"))
        return place, not whole, len(subject), subject

    return sorted(series, key=order)


def _medians(plan: str, series: Sequence[Series]) -> Markup:
    by_night: dict[tuple[float, str], dict[int, str]] = {}
    for at, one in enumerate(series):
        for level in levels(one):
            of = by_night.setdefault((level.night.at_s, level.night.run), {})
            of[at] = value(one.key.metric, level.middle)
    latest = sorted(by_night, reverse=True)[:LATEST]
    heads = ["run", "day", *map(_name, series)]
    rows = [
        (run, day(at_s), *(by_night[at_s, run].get(at, "-") for at in range(len(series))))
        for at_s, run in latest
    ]
    caption = f"Medians of {plan}: {len(latest)} of {counted(len(by_night), 'night')}, latest first"
    return table(caption, heads, rows, numeric=range(2, len(heads)))


# -- tests, canaries, runs ---------------------------------------------------------------------


def flaky(past: Past) -> Child:
    found = flakes(past.runs, past.tests)
    if not found:
        return el("p", "No test was green and red with nothing changed in between.")
    shown = [
        _item(
            day(one.last_s),
            el("span", one.test, class_="mono"),
            f"{one.green} green, {len(one.red)} red, the last of them {', '.join(one.red[-3:])}",
            el("span", f"{_words(one.revision)}{_untold(one.revision)}", class_="muted"),
        )
        for one in found[:LATEST]
    ]
    return [el("ol", shown, class_="index"), _older(len(found) - len(shown))]


def _untold(revision: dict[str, str]) -> str:
    """Where nobody said what was under test, it may have been another thing each time."""
    return "" if TOLD in revision else "; no run says its --hil-revision"


def _words(revision: dict[str, str]) -> str:
    return "; ".join(f"{what} {which}" for what, which in revision.items())


def canaries(past: Past) -> Child:
    """Every fault that was ever planted: how often, how often caught, and when it was missed."""
    planted: dict[str, list[tuple[Kept, bool]]] = {}
    for run in past.runs:
        for name, caught in run.canaries.items():
            planted.setdefault(name, []).append((run, caught))
    if not planted:
        return el("p", "No fault was ever planted: nothing shows that a red one would be seen.")
    rows = [
        (
            name,
            f"{sum(caught for _, caught in seen)} of {len(seen)}",
            ", ".join(run.run for run, caught in seen if not caught)[:400] or "never",
            day(seen[-1][0].at_s),
        )
        for name, seen in sorted(planted.items(), key=lambda pair: all(c for _, c in pair[1]))
    ]
    caption = f"{min(len(rows), CANARIES)} of {counted(len(rows), 'planted fault')}, missed first"
    heads = ("planted", "caught", "missed in", "last planted")
    return table(caption, heads, rows[:CANARIES], numeric=(1,))


def runs(past: Past) -> Child:
    shown = [*past.runs][: -LATEST - 1 : -1]
    rows = [
        (
            moment(one.at_s),
            join(el("span", one.run, class_="mono"), el("br"), badge(outcome_named(one.outcome))),
            past.nodes(one.topology),
            join(f"{one.taken}", *_excluded(one)),
            _words(one.revision),
        )
        for one in shown
    ]
    caption = f"{len(shown)} of {counted(len(past.runs), 'run')}, the latest first"
    heads = ("began", "run", "nodes", "exchanges", "under test")
    return table(caption, heads, rows)


def _excluded(run: Kept) -> Iterator[Markup]:
    for reason, count in run.excluded.items():
        yield join(el("br"), f"excluded: {count} {reason}")


def last_green(past: Past) -> Iterator[tuple[Kept, Range | None]]:
    """Of each testbed the last green run, with what came before the red one after it."""
    for topology in past.topologies:
        ours = [one for one in past.runs if one.topology == topology]
        green = [at for at, one in enumerate(ours) if one.outcome == Outcome.PASS.name]
        if green:
            one, after = ours[green[-1]], ours[green[-1] + 1 :]
            first = after[0] if after else None
            yield one, between(one.run, one.revision, first.run, first.revision) if first else None
