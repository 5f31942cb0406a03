"""The head of the page: the verdict, and how far it can be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.evidence import ChannelDone
from harness.report.page.badge import badge
from harness.report.page.canaries import Canary, canaries
from harness.report.page.markup import Markup, el, fact
from harness.report.page.run import Run
from harness.report.page.units import moment, seconds, size
from harness.verdict import Outcome, counted, headline

FEW = 5  # kinds of canaries by name
SAYS = {
    Outcome.PASS: "All that was claimed was compared, and it held",
    Outcome.FAIL: "The product is wrong somewhere",
    Outcome.ERROR: "The bench or a test is wrong somewhere, so not everything could be judged",
    Outcome.INCONCLUSIVE: "The evidence does not reach everywhere",
    Outcome.SKIP: "Nothing was compared",
}
TIERS = {
    "testbed": "Namespaces on one machine, host memory, sockets: nothing is about real NICs",
    "testbed-gpu": "Namespaces on one machine, GPU memory, sockets: nothing is about real NICs",
    "two-node": "Two machines, sockets: nothing here is about the vendor's plugin",
    "two-node-tcpx": "Two machines, GPU memory, the vendor's plugin",
}


def head(run: Run) -> Markup:
    return el(
        "header",
        el("h1", _title(run)),
        el("p", badge(run.outcome, "verdict")),
        el("p", _sentence(run), class_="said"),
        el("dl", _facts(run), class_="facts"),
        class_="head",
    )


def unknown(run: Run) -> Markup:
    """What this run could not know, line by line."""
    lines = list(_unknown(run))
    return el(
        "details",
        el("summary", f"What could not be known: {counted(len(lines), 'line')}"),
        el("ul", [el("li", line) for line in lines]),
        id="unknown",
    )


def _title(run: Run) -> str:
    nodes = run.started.inventory.get("nodes", []) if run.started else []
    names = " and ".join(str(node.get("name", "?")) for node in nodes)
    when = f"{moment(run.began_s)}, {seconds(run.lasted_s)}" if run.entries else ""
    return ", ".join(filter(None, [f"Run {run.name}", when, names]))


def _sentence(run: Run) -> str:
    counts = Counter(case.outcome for case in run.cases)
    words = [f"{counts[o]:,} {o.name}" for o in sorted(Outcome, reverse=True) if counts[o]]
    return f"{SAYS[run.outcome]}. {counted(len(run.cases), 'test')}: {', '.join(words) or 'none'}."


def _facts(run: Run) -> list[Markup]:
    return [
        _canary_fact(canaries(run)),
        _claim_fact(run),
        _verified_fact(run),
        _unknown_fact(run),
        _tier_fact(run),
    ]


def _canary_fact(found: list[Canary]) -> Markup:
    caught = sum(one.caught for one in found)
    if not found:
        why = "No fault was planted: nothing shows that this run would have seen one."
        return fact("Canaries caught", "none planted", why)
    missed = [one for one in found if not one.caught]
    if missed:
        why = f"Missed: {'; '.join(f'{one.what} in {one.where}' for one in missed[:3])}."
        return fact(
            "Canaries caught", el("span", f"{caught} of {len(found)}", class_="is-FAIL"), why
        )
    kinds = sorted({one.what for one in found})
    more = f" and {len(kinds) - FEW} more" if len(kinds) > FEW else ""
    why = f"Faults planted on purpose, all found: {', '.join(kinds[:FEW])}{more}."
    return fact("Canaries caught", f"{caught} of {len(found)}", why)


def _claim_fact(run: Run) -> Markup:
    settled, still_open = len(run.judged), len(run.open_claims)
    checked = sum(one.checked for one in run.judged)
    big = f"{settled:,} of {settled + still_open:,}"
    why = f"They rest on {counted(checked, 'comparison')}."
    if still_open:
        why = f"Without a verdict: {headline(run.open_claims[0])}. {why}"
    return fact("Claims settled", big, why)


def _verified_fact(run: Run) -> Markup:
    words = sum(one.words_verified for one in run.told)
    moved = sum(one.bytes for one in run.told)
    done = (each for one in run.told for each in one.seen.seen(ChannelDone, role="server"))
    sure = sum(each.record.bytes_verified for each in done)
    why = f"{counted(words, 'word')}, each compared with the one that was sent."
    if moved > sure:
        why += f" {size(moved - sure)} more moved unverified."
    return fact("Payload verified", size(sure), why)


def _unknown_fact(run: Run) -> Markup:
    lines = sum(1 for _ in _unknown(run))
    link = el("a", counted(lines, "line"), href="#unknown") if lines else "nothing"
    skipped = sum(case.outcome is Outcome.SKIP for case in run.cases)
    return fact(
        "Could not be known", link, f"{counted(skipped, 'test')} skipped, each for a stated reason."
    )


def _tier_fact(run: Run) -> Markup:
    tier = run.started.tier if run.started else ""
    return fact("Tier", tier or "unknown", f"{TIERS.get(tier, 'The run never began')}.")


def _unknown(run: Run) -> Iterator[str]:
    if run.ended is None:
        yield "The run has no end in its journal: what came after its last line is not known."
    for one in run.judged:
        if one.outcome == Outcome.INCONCLUSIVE.name:
            yield f"{one.test}, claim {one.claim}: {headline(one)}"
    skips = Counter(case.message for case in run.cases if case.outcome is Outcome.SKIP)
    for reason, times in skips.most_common():
        yield f"{counted(times, 'test')} skipped: {reason}"
    silent = [one for one in run.told if one.bytes and not one.words_verified]
    if silent:
        total = size(sum(one.bytes for one in silent))
        yield f"The payload of {counted(len(silent), 'exchange')} ({total}) was not verified here."
    if run.preflight:
        yield from (f"Not readable on a node: {fact}" for fact in run.preflight.unknown)
