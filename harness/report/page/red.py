"""What is red, first: an index, then each with its evidence, timeline, rates, logs and command.

The first of them are told in full. A run with more is broken as a whole: of the others, some have
their headline, their evidence and their command, and the rest a line among all tests.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from harness.evidence import Judged
from harness.report.case import NEXT, Case
from harness.report.ending import RUN_CASE
from harness.report.exchanges import Told
from harness.report.page.badge import badge
from harness.report.page.flows import flows
from harness.report.page.logs import logs
from harness.report.page.markup import Child, Markup, el, join
from harness.report.page.network import network, nics, risen
from harness.report.page.pace import intervals
from harness.report.page.rates import rates
from harness.report.page.replay import replay, seeds
from harness.report.page.run import Run, worst_of
from harness.report.page.table import as_table, table
from harness.report.page.timeline import timeline
from harness.report.page.units import rate, seconds, size
from harness.verdict import Outcome, counted
from harness.verdict.speed import line_gb_s

IN_FULL = 40
IN_BRIEF = 300
MANY_CLAIMS = 12
MOST_EXCHANGES = 3  # of one test, told in full: the red ones first
MESSAGE_CHARS = 400
DETAIL_CHARS = 20_000


def red(run: Run) -> Markup:
    found = run.red
    if not found:
        return el("p", "Nothing is red.")
    told, left_out = found[: IN_FULL + IN_BRIEF], len(found) - IN_FULL - IN_BRIEF
    rest = f"{counted(max(left_out, 0), 'red test')} more: a line each among all tests, below, and "
    return join(
        el("ol", [_line(number, case) for number, case in told], class_="index"),
        el("p", rest, "their evidence in junit.xml.") if left_out > 0 else None,
        [_article(run, n, case) for n, case in told[:IN_FULL]],
        [_brief(run, n, case) for n, case in told[IN_FULL:]],
    )


def placed(run: Run) -> frozenset[int]:
    """The numbers of the red tests that have an article."""
    return frozenset(number for number, _ in run.red[: IN_FULL + IN_BRIEF])


def place(number: int) -> str:
    """The id of a red test's article."""
    return f"red-{number}"


def _line(number: int, case: Case) -> Markup:
    link = el("a", _short(case.message or case.klass), href=f"#{place(number)}")
    return el("li", badge(case.outcome), " ", el("span", link, " ", _where(case)))


def _where(case: Case) -> Markup:
    return el("span", case.test.rpartition("/")[2], class_="file muted")


def _article(run: Run, number: int, case: Case) -> Markup:
    told = run.told_of.get(case.test, [])
    # Where all are green a claim beyond them is not, mostly on the last.
    numbered = sorted(enumerate(told), key=lambda one: (-worst_of(one[1]), -one[0]))
    ordered = [one for _, one in numbered[:MOST_EXCHANGES]]
    return el(
        "article",
        badge(case.outcome),
        el("h3", _short(case.message or case.klass)),
        el("p", _meta(case, told), class_="meta"),
        _next(run, case),
        el("h4", "Run it again"),
        el("pre", el("code", _command(run, case))),
        _evidence(run, case, told),
        [
            _exchange(run, one, f"{place(number)}-{at}")
            for at, one in enumerate(ordered)
            if worst_of(one) > Outcome.PASS or at == 0
        ],
        id=place(number),
        class_="red",
        aria_label=f"{case.outcome.name} {case.test}",
        tabindex=-1,
    )


def _brief(run: Run, number: int, case: Case) -> Markup:
    return el(
        "article",
        badge(case.outcome),
        el("h3", _short(case.message or case.klass)),
        el("pre", el("code", _command(run, case))),
        el("details", el("summary", "Evidence"), el("pre", _cut(_beyond(case)))),
        id=place(number),
        class_="red brief",
        aria_label=f"{case.outcome.name} {case.test}",
        tabindex=-1,
    )


def _meta(case: Case, told: Sequence[Told]) -> Markup:
    facts = [seconds(case.duration_s), counted(len(told), "exchange") if told else ""]
    source = f" at {case.source}" if case.source else ""
    test = el("code", case.test)
    row = el("a", "its line among all tests", href="#tests")
    return join(test, f"{source}. ", ", ".join(filter(None, facts)), ". ", row)


def _next(run: Run, case: Case) -> Markup | None:
    judged = run.judged_of.get(case.test, [])
    steps = [one.next_step for one in judged if one.klass == case.klass and one.next_step]
    step = next(iter(steps), case.next_step)
    return el("p", "Next: ", _spoken(step.rstrip(".")), ".", class_="step") if step else None


def _command(run: Run, case: Case) -> str:
    if case.test == RUN_CASE or _is_of_the_night(run, case):
        return shlex.join(run.started.command if run.started else ()) or "pytest"
    command = replay(case.test, run.started)
    seeded = seeds(run.told_of.get(case.test, []))
    return f"{command}  # {seeded}" if seeded else command


def _is_of_the_night(run: Run, case: Case) -> bool:
    """It compares what other tests measured: by itself it would have nothing to compare."""
    return bool(run.compared) and case.test not in run.told_of


def _evidence(run: Run, case: Case, told: Sequence[Told]) -> Markup:
    judged = run.judged_of.get(case.test, [])
    first = [one for one in judged if Outcome[one.outcome] > Outcome.PASS]
    lines = _beyond(case) or "\n".join(line for one in first for line in one.evidence)
    planted = [f.kind for one in told for f in one.seen.plan.faults]
    return el(
        "details",
        el("summary", "Evidence"),
        _words(lines) if lines else el("p", "There is nothing beyond the headline."),
        el("p", f"The plan of this test planted a fault on purpose: {', '.join(planted)}.")
        if planted
        else None,
        _claims(judged) if judged else None,
        open=True,
    )


def _words(lines: str) -> Markup:
    name = "Evidence in words"
    return el("pre", _cut(lines), class_="long", tabindex=0, role="group", aria_label=name)


def _cut(text: str) -> str:
    left_out = len(text) - DETAIL_CHARS
    return f"{text[:DETAIL_CHARS]}\n... and {left_out:,} characters more" if left_out > 0 else text


def _beyond(case: Case) -> str:
    """The detail without what stands above it already: the headline and the next step."""
    lines = case.detail.splitlines()
    headed = lines[1:] if lines[:1] == [case.message] else lines
    return "\n".join(line for line in headed if not line.startswith(NEXT))


def _spoken(sentence: str) -> Markup:
    """With what stands in backquotes as code."""
    parts = sentence.split("`")
    return join(el("code", part) if at % 2 else part for at, part in enumerate(parts))


def _claims(judged: Sequence[Judged]) -> Markup:
    """All of them; where they are many, those that hold are folded away."""
    ordered = sorted(judged, key=lambda one: -Outcome[one.outcome])
    if len(ordered) <= MANY_CLAIMS:
        return _claim_table("Claims of this test", ordered)
    open_ = [one for one in ordered if Outcome[one.outcome] > Outcome.PASS]
    held = ordered[len(open_) :]
    return join(
        _claim_table("Claims of this test that do not hold", open_) if open_ else None,
        as_table(
            f"{counted(len(held), 'claim')} of it that hold",
            _claim_table("Claims of this test that hold", held),
        )
        if held
        else None,
    )


def _claim_table(caption: str, judged: Sequence[Judged]) -> Markup:
    rows = [(o.claim, badge(Outcome[o.outcome]), f"{o.checked:,}", o.fact) for o in judged]
    return table(caption, ("claim", "verdict", "compared", "fact"), rows, numeric={2})


def _exchange(run: Run, told: Told, name: str) -> Markup:
    """One exchange: where its bytes went, when what happened, how fast, and what was said."""
    entries = run.by_exchange.get(told.seen.name, [])
    ports = [(told.seen.nodes[r], nic) for r in ("client", "server") for nic in told.seen.nics(r)]
    limit = told.seen.planned.rate_gbit_s / 8
    return join(
        el("h4", f"Exchange {told.seen.name}: {_title(told)}"),
        _opens(
            "Where its bytes went", network(flows(told), nics(run.started), risen([told]), name)
        ),
        _opens("Timeline of both nodes", timeline(told, name)),
        _opens(
            "GB/s of its NICs",
            rates(
                intervals([told], {}),
                list(dict.fromkeys(ports)),
                (0.0, max(told.seen.ended_s, 1e-3)),
                name,
                limits_gb_s=dict.fromkeys(ports, limit),
            ),
        ),
        _opens("Logs", logs(entries) or el("p", "Nobody said anything.")),
    )


def _title(told: Told) -> str:
    plan = told.seen.plan
    expected = line_gb_s(told.seen)
    of = f" of {expected:.3f}" if expected else ""
    return (
        f"{plan.program or plan.exercise}, {counted(plan.channels, 'channel')}, "
        f"{size(told.bytes)} of {size(plan.total_bytes)} delivered, {rate(told.seen.gb_s)}{of}"
    )


def _opens(summary: str, whole: Child) -> Markup:
    return el("details", el("summary", summary), whole)


def _short(message: str) -> str:
    first = message.partition("\n")[0]
    return first if len(first) <= MESSAGE_CHARS else f"{first[:MESSAGE_CHARS]} ..."
