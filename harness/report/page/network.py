"""The picture of two nodes: their NICs, and bands between them as wide as the bytes they carried.

Beside each NIC stands what its own counters rose by, which no role can talk up: sent and received,
packet headers included.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from harness.evidence import RunStarted
from harness.report.exchanges import Told
from harness.report.mesh import observed
from harness.report.page.badge import SIGNS
from harness.report.page.flows import Flow, node_pairs, spans
from harness.report.page.markup import Markup, el, join
from harness.report.page.svg import line, pan, picture, rect, text
from harness.report.page.table import as_table, table
from harness.report.page.units import size
from harness.verdict import counted
from harness.verdict.counters import rises

WIDTH, BOX, NIC = 1120.0, 270.0, 220.0
SLOT, TOP, GAP = 36.0, 38.0, 10.0
WIDEST, THINNEST = 15.0, 1.5
MOST_PAIRS = 6
BESIDE = (
    "Beside the NICs: what their counters rose by, headers included. Dotted: planned, where "
    "nothing flowed or it flowed elsewhere."
)


def risen(told: Iterable[Told]) -> Counter[tuple[str, str, str]]:
    """(node, NIC, direction) -> bytes that its counter rose by during exchanges."""
    total: Counter[tuple[str, str, str]] = Counter()
    for one in observed(told):
        for node in set(one.seen.nodes.values()):
            for rise in rises(one.seen, node):
                total[rise.node, rise.nic, rise.direction] += rise.bytes
    return total


def nics(started: RunStarted | None) -> dict[str, dict[str, str]]:
    """Node -> its data NICs with the rate that the inventory states."""
    nodes = started.inventory.get("nodes", []) if started else []
    return {
        str(node.get("name", "?")): {
            str(nic.get("name", "?")): f"{nic['rate_gbit_s']:g} Gbit/s"
            if nic.get("rate_gbit_s")
            else ""
            for nic in node.get("nics", [])
        }
        for node in nodes
    }


def network(
    flows: Sequence[Flow],
    known: dict[str, dict[str, str]],
    counters: Counter[tuple[str, str, str]],
    name: str,
) -> Markup:
    """A picture for each pair of nodes, and all flows as a table."""
    if not flows:
        return el("p", "No channel carried anything.")
    pairs = node_pairs(flows)
    left_out = len(pairs) - MOST_PAIRS
    return join(
        [
            _figure(pair, known, counters, f"{name}-{at}")
            for at, pair in enumerate(pairs[:MOST_PAIRS])
        ],
        el("p", f"{counted(left_out, 'pair')} of nodes more in the table.")
        if left_out > 0
        else None,
        as_table("The same as a table", _table(flows)),
    )


def _table(flows: Sequence[Flow]) -> Markup:
    rows = [
        (
            spans(flow.channels),
            "/".join(flow.source),
            "/".join(flow.target),
            f"{flow.bytes:,}",
            f"{flow.exchanges:,}",
            flow.outcome.name,
            " to ".join("/".join(port) for port in flow.planned) if flow.planned else "",
        )
        for flow in flows
    ]
    heads = ("channels", "from", "to", "bytes", "exchanges", "verdict", "planned elsewhere")
    return table("Payload between NICs", heads, rows, numeric={3, 4})


def _figure(
    pair: Sequence[Flow],
    known: dict[str, dict[str, str]],
    counters: Counter[tuple[str, str, str]],
    name: str,
) -> Markup:
    """The node that sent most stands at the left."""
    left, right = _sides(pair)
    ends = [_ends(flow, left) for flow in pair]
    heights = {
        side: _heights(node, at, pair, ends, known)
        for at, (side, node) in enumerate((("left", left), ("right", right)))
    }
    places = {side: _stack(of_side) for side, of_side in heights.items()}
    tall = max(sum(h.values()) + GAP * len(h) for h in heights.values()) + TOP
    most = max((flow.bytes for flow in pair), default=0)
    drawn = (
        *_boxes(left, right, tall),
        _bands(pair, ends, places, most),
        _nics(left, places["left"], heights["left"], known, counters, "left"),
        _nics(right, places["right"], heights["right"], known, counters, "right"),
    )
    title = f"What flowed between {left} and {right}"
    flows = picture(f"{name}-flow", title, _described(pair), WIDTH, tall + 4, *drawn)
    caption = f"Bands are as wide as their bytes; the widest is {size(most)}. {BESIDE}"
    return el("figure", pan(flows, "Picture of the flows"), el("figcaption", caption))


def _sides(pair: Sequence[Flow]) -> tuple[str, str]:
    """Left and right; one node has both when it talked to itself."""
    sent = Counter[str]()
    for flow in pair:
        sent[flow.source[0]] += flow.bytes
    sides = sorted({node for flow in pair for node in flow.nodes}, key=lambda n: (-sent[n], n))
    return sides[0], sides[-1]


def _boxes(left: str, right: str, tall: float) -> tuple[Markup, ...]:
    return (
        rect(0, 1, BOX, tall, "box"),
        rect(WIDTH - BOX, 1, BOX, tall, "box"),
        text(14, 24, left, "strong"),
        text(WIDTH - 14, 24, right, "strong", "end"),
    )


def _described(pair: Sequence[Flow]) -> str:
    return "; ".join(
        f"{flow.name}: {size(flow.bytes)} from {'/'.join(flow.source)} to "
        f"{'/'.join(flow.target)}, {flow.outcome.name}"
        for flow in pair[:16]
    )


def _ends(flow: Flow, left: str) -> tuple[str, str, bool]:
    """NIC at the left, NIC at the right, and whether it flows to the right."""
    if flow.source[0] == left:
        return flow.source[1], flow.target[1], True
    return flow.target[1], flow.source[1], False


def _heights(
    node: str,
    at: int,
    pair: Sequence[Flow],
    ends: Sequence[tuple[str, str, bool]],
    known: dict[str, dict[str, str]],
) -> dict[str, float]:
    """NIC -> its height: a slot for each flow that ends there."""
    used = Counter(end[:2][at] for end in ends)
    for flow in pair:
        for port in flow.planned or ():
            if port[0] == node:
                used[port[1]] += 0
    names = dict.fromkeys([*known.get(node, {}), *sorted(used)])
    return {nic: max(used[nic], 1) * SLOT for nic in names}


def _stack(heights: dict[str, float]) -> dict[str, float]:
    places, y = {}, TOP
    for nic, height in heights.items():
        places[nic] = y
        y += height + GAP
    return places


def _bands(
    pair: Sequence[Flow],
    ends: Sequence[tuple[str, str, bool]],
    places: dict[str, dict[str, float]],
    most: int,
) -> list[Markup]:
    taken: Counter[tuple[str, str]] = Counter()
    drawn = []
    for flow, (nic_left, nic_right, rightward) in sorted(
        zip(pair, ends, strict=True), key=lambda one: min(one[0].channels, default=0)
    ):
        y1 = places["left"][nic_left] + SLOT * taken["left", nic_left] + 25
        y2 = places["right"][nic_right] + SLOT * taken["right", nic_right] + 25
        taken["left", nic_left] += 1
        taken["right", nic_right] += 1
        drawn += _planned_line(flow, places, rightward)
        drawn.append(_band(flow, y1, y2, most))
        arrow = "→" if rightward else "←"
        said = f"{flow.name} {arrow} {size(flow.bytes)}"
        drawn.append(text(BOX + 10, y1 - 11, said, "said-of"))
        verdict = f"{SIGNS[flow.outcome]} {flow.outcome.name}"
        drawn.append(text(WIDTH - BOX - 10, y2 - 11, verdict, f"is-{flow.outcome.name}", "end"))
    return drawn


def _band(flow: Flow, y1: float, y2: float, most: int) -> Markup:
    if not flow.bytes:
        return line([(BOX, y1), (WIDTH - BOX, y2)], "planned")
    wide = max(THINNEST, WIDEST * flow.bytes / max(most, 1))
    middle, right = WIDTH / 2, WIDTH - BOX
    return el(
        "path",
        d=f"M{BOX:g} {y1:g}C{middle:g} {y1:g} {middle:g} {y2:g} {right:g} {y2:g}",
        class_=f"band is-{flow.outcome.name}",
        fill="none",
        stroke="currentColor",
        stroke_width=round(wide, 1),
    )


def _planned_line(flow: Flow, places: dict[str, dict[str, float]], rightward: bool) -> list[Markup]:
    if flow.planned is None:
        return []
    (_, one), (_, other) = flow.planned if rightward else flow.planned[::-1]
    return [
        line(
            [(BOX, places["left"][one] + 25), (WIDTH - BOX, places["right"][other] + 25)], "planned"
        )
    ]


def _nics(
    node: str,
    places: dict[str, float],
    heights: dict[str, float],
    known: dict[str, dict[str, str]],
    counters: Counter[tuple[str, str, str]],
    side: str,
) -> list[Markup]:
    x = BOX - NIC - 1 if side == "left" else WIDTH - BOX + 1
    drawn = []
    for nic, y in places.items():
        sent, received = (counters[node, nic, way] for way in ("sent", "received"))
        idle = " idle" if not sent + received else ""
        drawn.append(rect(x, y, NIC, heights[nic], f"nic{idle}"))
        drawn.append(text(x + 10, y + 15, nic, "strong"))
        drawn.append(text(x + NIC - 10, y + 15, known.get(node, {}).get(nic, ""), "dim", "end"))
        drawn.append(text(x + 10, y + 30, f"out {size(sent)}, in {size(received)}", "dim"))
    return drawn
