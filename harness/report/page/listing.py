"""Every test once, the red first, as tables of a few hundred rows each.

A browser draws only the parts that are looked at, which is what lets ten thousand tests open at
once. The outcome filter is CSS alone; search and order are the script's, which also shows them.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.case import Case
from harness.report.page.markup import Child, Markup, el, join
from harness.report.page.red import place, placed
from harness.report.page.run import Run
from harness.verdict import Outcome, counted

PART = 250  # rows
WITH_CLAIMS = 1_500  # tests; larger runs name the place of their green claims instead
HEADS = ("outcome", "test", "claims", "GB/s", "words verified", "time, s")
ORDERS = ("red first", "plan", "slowest", "fastest GB/s")


def listing(run: Run) -> Markup:
    ordered = run.ordered
    parts = [ordered[at : at + PART] for at in range(0, len(ordered), PART)]
    brief, linked = len(ordered) > WITH_CLAIMS, placed(run)
    return el(
        "div",
        _controls(run),
        el("p", "Claims of green tests are in verdict.json: there are too many for a page.")
        if brief
        else None,
        [
            _part(
                part,
                at * PART + 1,
                len(ordered),
                [_row(run, n, case, linked=n in linked, brief=brief) for n, case in part],
            )
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


def _part(part: Sequence[tuple[int, Case]], first: int, of: int, rows: Sequence[Markup]) -> Markup:
    outcomes = sorted({case.outcome.name for _, case in part})
    last = first + len(part) - 1
    whole = f"Tests {first:,} to {last:,} of {of:,}" if of > len(part) else counted(of, "test")
    return el(
        "div",
        el(
            "table",
            el("caption", whole),
            el("colgroup", [el("col", class_=f"c{n}") for n in range(1, len(HEADS) + 1)]),
            el("thead", el("tr", [el("th", name, scope="col") for name in HEADS], class_="head")),
            el("tbody", rows),
        ),
        class_=" ".join(["part", *["small"] * (of <= PART), *outcomes]),
    )


def _row(run: Run, number: int, case: Case, *, linked: bool, brief: bool) -> Markup:
    told = run.told_of.get(case.test, [])
    judged = run.judged_of.get(case.test, [])
    settled = sum(one.outcome == Outcome.PASS.name for one in judged)
    fastest = max((one.seen.gb_s for one in told), default=0.0)
    words = sum(one.words_verified for one in told)
    outcome = case.outcome.name
    return el(
        "tr",
        el("td", outcome, class_=f"badge is-{outcome}"),
        el("th", _name(run, number, case, linked=linked, brief=brief), scope="row"),
        el("td", f"{settled} of {len(judged)}" if judged else ""),
        el("td", f"{fastest:.3f}" if fastest else ""),
        el("td", f"{words:,}" if words else ""),
        el("td", f"{case.duration_s:.2f}"),
        id=f"test-{number}",
        class_=outcome,
    )


def _name(run: Run, number: int, case: Case, *, linked: bool, brief: bool) -> Child:
    file, _, name = case.test.partition("::")
    said = join(name or file, " ", el("span", file, class_="file") if name else None)
    if linked:
        return el("a", said, href=f"#{place(number)}")
    if case.red or case.outcome is Outcome.SKIP:
        return join(said, el("p", case.message, class_="reason"))
    judged = run.judged_of.get(case.test, [])
    if brief or not judged:
        return said
    claims = [el("li", f"{one.claim}: {one.fact} ({one.checked:,} compared)") for one in judged]
    return el("details", el("summary", said), el("ul", claims))
