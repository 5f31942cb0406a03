"""An exchange's events across the controller and both nodes, as a picture and as a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.report.exchanges import Told
from harness.report.page.events import CONTROLLER, Event, clocks, events, groups
from harness.report.page.markup import Markup, el, join
from harness.report.page.svg import Plot, Scale, dot, line, pan, picture, rect, text
from harness.report.page.units import seconds
from harness.verdict.exchange import ROLES

WIDTH, LEFT, LANE = 1120.0, 150.0, 36.0
NUMBER_PX = 16.0  # room that a number needs


def timeline(told: Told, name: str) -> Markup:
    ordered = events(told)
    if not ordered:
        return el("p", "Nothing was seen of this exchange.")
    together = groups(ordered)
    return join(
        el(
            "figure",
            pan(_picture(told, ordered, together, name), "Timeline"),
            el("figcaption", _caption(told)),
        ),
        _list(together),
    )


def _caption(told: Told) -> str:
    offsets = [
        f"{one.node}'s clock is {one.offset_s:+,.6f} s from the controller's, "
        f"± {seconds(one.bound_s)}"
        for one in clocks(told.seen)
    ]
    measured = "; ".join(offsets) or "No clock was measured"
    return (
        f"{measured}. Closer than their bounds together, events of two nodes have no known order: "
        "they share a shaded band, and a bar in the list. Hollow: when the controller heard of it."
    )


def _lanes(told: Told, ordered: Sequence[Event]) -> dict[str, str]:
    """Node -> what is written beside its lane."""
    seen = told.seen
    roles = {node: " and ".join(seen.roles_on(node)) for node in (seen.nodes[r] for r in ROLES)}
    others = {event.node: "" for event in ordered if event.node not in roles}
    return {CONTROLLER: "", **roles, **others}


def _picture(
    told: Told, ordered: Sequence[Event], together: Sequence[Sequence[Event]], name: str
) -> Markup:
    lanes = _lanes(told, ordered)
    places = {node: 26 + LANE * at for at, node in enumerate(lanes)}
    bottom = 26 + LANE * len(lanes) - 10
    end_s = max(ordered[-1].at_s, 1e-3)
    plot = Plot(
        x=Scale(min(ordered[0].at_s, 0.0), end_s, LEFT, WIDTH - 12), y=Scale(0, 1, bottom, 10)
    )
    return picture(
        f"{name}-time",
        f"Timeline of exchange {told.seen.name}",
        f"{len(ordered)} events on {len(lanes)} lanes in {seconds(end_s)}; all are listed below.",
        WIDTH,
        bottom + 40,
        [_shade(plot, group, bottom) for group in together if len(group) > 1],
        [
            [
                line([(LEFT, y), (WIDTH - 12, y)], "lane"),
                text(0, y + 4, node, "strong" if node != CONTROLLER else "dim"),
                text(0, y + 17, lanes[node], "dim"),
            ]
            for node, y in places.items()
        ],
        list(_marks(plot, ordered, places)),
        line([(LEFT, bottom), (WIDTH - 12, bottom)], "axis"),
        [text(plot.x(v), bottom + 15, f"{v:g}", "tick", "middle") for v in plot.x.ticks(8)],
        text(WIDTH - 12, bottom + 32, "seconds since the exchange began", "name", "end"),
    )


def _shade(plot: Plot, group: Sequence[Event], bottom: float) -> Markup:
    start, end = plot.x(group[0].at_s), plot.x(group[-1].at_s)
    return rect(start - 5, 10, max(end - start, 0) + 10, bottom - 10, "together")


def _marks(plot: Plot, ordered: Sequence[Event], places: dict[str, float]) -> Iterator[Markup]:
    """Numbers are the list's; where they would overlap, the first of them stands for all."""
    free = dict.fromkeys(places, 0.0)
    for number, event in enumerate(ordered, 1):
        x, y = plot.x(event.at_s), places[event.node]
        half = (plot.x(event.bound_s) - plot.x(0)) if event.bound_s else 0.0
        if half > 1:
            yield line([(x - half, y), (x + half, y)], "whisker")
        kind = "mark" + " bad" * event.bad + " heard" * (event.heard and not event.bad)
        yield dot(x, y, 4.5 if event.bad else 3.5, kind, f"{number}. {event.what}")
        if x >= free[event.node] or event.bad:
            yield text(x, y - 8, str(number), "tick", "middle")
            free[event.node] = x + NUMBER_PX


def _list(together: Sequence[Sequence[Event]]) -> Markup:
    rows = []
    number = 0
    for group in together:
        for event in group:
            number += 1
            rows.append(_row(number, event, len(group) > 1))
    heads = ("no.", "time", "±", "node", "role", "event")
    return el(
        "div",
        el(
            "table",
            el("caption", "Events in the order of their times"),
            el("thead", el("tr", [_head(name) for name in heads])),
            el("tbody", rows),
        ),
        class_="wide",
        role="group",
        aria_label="Events in the order of their times",
        tabindex=0,
    )


def _head(name: str) -> Markup:
    return el("th", name, scope="col", class_="n" if name in ("time", "±") else None)


def _row(number: int, event: Event, unordered: bool) -> Markup:
    bound = "heard" if event.heard else (seconds(event.bound_s) if event.bound_s else "")
    what = el("strong", event.what, class_="is-FAIL") if event.bad else event.what
    order = el("span", " unordered", class_="muted") if unordered else None
    return el(
        "tr",
        el("th", number, order, scope="row"),
        el("td", f"{event.at_s:.6f} s", class_="n"),
        el("td", bound, class_="n"),
        el("td", event.node),
        el("td", event.role),
        el("td", what),
        class_="unordered" if unordered else None,
    )
