"""Tables: the caption says what they hold, numbers stand right, the first cell heads a row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from harness.report.page.markup import Child, Markup, el


def table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[Child]],
    *,
    numeric: Collection[int] = (),
    hidden: Collection[int] = (),
) -> Markup:
    """`numeric` are columns of numbers; `caption` is read aloud and shown. `hidden` heads are read
    aloud alone. Wide tables scroll by themselves, by keyboard too."""

    def kind(column: int) -> str | None:
        return "n" if column in numeric else None

    def head(column: int, name: str) -> Markup:
        shown = el("span", name, class_="aloud") if column in hidden else name
        return el("th", shown, scope="col", class_=kind(column))

    def cell(column: int, child: Child) -> Markup:
        if column == 0:
            return el("th", child, scope="row", class_=kind(column))
        return el("td", child, class_=kind(column))

    return el(
        "div",
        el(
            "table",
            el("caption", caption),
            el("thead", el("tr", [head(at, name) for at, name in enumerate(heads)])),
            el(
                "tbody",
                [el("tr", [cell(at, part) for at, part in enumerate(row)]) for row in rows],
            ),
        ),
        class_="wide",
        role="group",
        aria_label=caption,
        tabindex=0,
    )


def as_table(summary: str, whole: Markup) -> Markup:
    """The same facts as a picture's, for whoever cannot or will not read pictures."""
    return el("details", el("summary", summary), whole, class_="as-table")
