"""Every test once, the red first, as tables of a few hundred rows each.

A browser draws only the parts that are looked at, which is what lets ten thousand tests open at
once. The outcome filter is CSS alone; search and order are the script's, which also shows them.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.case import Case
from harness.report.exchanges import Told
from harness.report.page.badge import badge
from harness.report.page.markup import Child, Markup, el, join
from harness.report.page.red import place
from harness.report.page.run import Run
from harness.verdict import Outcome, counted

PART = 250  # rows
WITH_CLAIMS = 1_500  # tests; larger runs name the place of their green claims instead
HEADS = ("outcome", "test", "claims", "GB/s", "words verified", "time, s")
NUMERIC = range(2, 6)
ORDERS = ("red first", "plan", "slowest", "fastest GB/s")


def listing(run: Run) -> Markup:
    ordered = run.ordered
    parts = [ordered[at : at + PART] for at in range(0, len(ordered), PART)]
    brief = len(ordered) > WITH_CLAIMS
    return el(
        "div",
        _controls(run),
        el("p", "Claims of green tests are in verdict.json: there are too many for a page.")
        if brief
        else None,
        [
            _part(run, part, at * PART + 1, len(ordered), brief=brief)
            for at, part in enumerate(parts)
        ],
        class_="tests",
    )


def _controls(run: Run) -> Markup:
    present = [o for o in sorted(Outcome, reverse=True) if any(c.outcome is o for c in run.cases)]
    choices = [("all", f"all {len(run.cases):,}"), *((o.name, o.name) for o in present)]
    search = el("input", type="search", id="search", name="search", autocomplete="off")
    order = el("select", [el("option", name) for name in ORDERS], id="order", name="order")
    return el(
        "form",
        el(
            "fieldset",
            el("legend", "Show"),
            [
                el(
                    "label",
                    el("input", type="radio", name="only", id=f"only-{value}", checked=not at),
                    " ",
                    shown,
                )
                for at, (value, shown) in enumerate(choices)
            ],
        ),
        el("label", el("span", "Search"), search, class_="field", hidden=True),
        el("label", el("span", "Order"), order, class_="field", hidden=True),
        el("p", "", id="found", class_="muted", role="status", hidden=True),
        class_="choose",
        id="choose",
        aria_label="Choose tests",
    )


def _part(
    run: Run, part: Sequence[tuple[int, Case]], first: int, of: int, *, brief: bool
) -> Markup:
    outcomes = sorted({case.outcome.name for _, case in part})
    last = first + len(part) - 1
    whole = f"Tests {first:,} to {last:,} of {of:,}" if of > len(part) else counted(of, "test")
    return el(
        "div",
        el(
            "table",
            el("caption", whole),
            el("colgroup", [el("col", class_=f"c{n}") for n in range(1, len(HEADS) + 1)]),
            el(
                "thead", el("tr", [_head(at, name) for at, name in enumerate(HEADS)], class_="head")
            ),
            el("tbody", [_row(run, number, case, brief=brief) for number, case in part]),
        ),
        class_=" ".join(["part", *["small"] * (of <= PART), *outcomes]),
    )


def _head(at: int, name: str) -> Markup:
    return el("th", name, scope="col", class_="n" if at in NUMERIC else None)


def _row(run: Run, number: int, case: Case, *, brief: bool) -> Markup:
    told = run.told_of.get(case.test, [])
    judged = run.judged_of.get(case.test, [])
    settled = sum(one.outcome == Outcome.PASS.name for one in judged)
    fastest = max((one.seen.gb_s for one in told), default=0.0)
    words = sum(one.words_verified for one in told)
    return el(
        "tr",
        el("td", badge(case.outcome)),
        el("th", _name(run, number, case, told, brief=brief), scope="row"),
        el("td", f"{settled} of {len(judged)}" if judged else "", class_="n"),
        el("td", f"{fastest:.3f}" if fastest else "", class_="n"),
        el("td", f"{words:,}" if words else "", class_="n"),
        el("td", f"{case.duration_s:.2f}", class_="n"),
        id=f"test-{number}",
        class_=case.outcome.name,
    )


def _name(run: Run, number: int, case: Case, told: Sequence[Told], *, brief: bool) -> Child:
    file, _, name = case.test.partition("::")
    said: Child = join(
        el("span", name or file, class_="name"), " ", el("span", file, class_="file")
    )
    if case.red:
        return el("a", said, href=f"#{place(number)}")
    reason = el("p", case.message, class_="reason") if case.outcome is Outcome.SKIP else None
    judged = run.judged_of.get(case.test, [])
    if brief or not judged:
        return join(said, reason)
    claims = [el("li", f"{one.claim}: {one.fact} ({one.checked:,} compared)") for one in judged]
    return join(el("details", el("summary", said), el("ul", claims)), reason)
