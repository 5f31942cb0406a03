"""index.html: one file that needs no other, a pure function of the run's entries.

The order is the reader's: is it green and can that be trusted, what is red, what flowed where, how
fast, how it scales, how long it took, then every test. All of it is there without a script. The
page's own policy forbids it to fetch anything or to run anything but the one script that it brings.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from harness.evidence import Entry, ExchangePlanned
from harness.report.page.curve import curve
from harness.report.page.flows import together
from harness.report.page.listing import listing
from harness.report.page.markup import Markup, el, join, section
from harness.report.page.network import network, nics, risen
from harness.report.page.nights import nights
from harness.report.page.pace import intervals
from harness.report.page.rates import rates
from harness.report.page.red import red
from harness.report.page.run import Run
from harness.report.page.times import histograms
from harness.report.page.trust import head, unknown
from harness.verdict import counted


def page(entries: Sequence[Entry]) -> str:
    """The whole document; the same entries give the same bytes."""
    run = Run(entries)
    flowed = network(together(run.told), nics(run.started), risen(run.told), "run")
    sections = [
        ("red", f"Red: {counted(len(run.red), 'test')}", red(run)),
        ("flow", "What flowed where", flowed),
        ("rates", "GB/s per NIC over time", _rates(run)),
        ("scaling", "Scaling with channels", curve(run.told)),
        *_nights(run),
        ("times", "Iteration times", el("div", histograms(run.told), class_="histograms")),
        ("tests", "Every test", listing(run)),
    ]
    links = [el("li", el("a", title, href=f"#{name}")) for name, title, _ in sections]
    body = join(
        el("a", "Skip to what is red", href="#red", class_="skip-link"),
        head(run),
        el("nav", el("ul", links), class_="contents", aria_label="Parts of this page"),
        el("main", unknown(run), [section(*one) for one in sections]),
    )
    return document(f"{run.outcome.name}: run {run.name}", body, script=_asset("filter.js"))


def document(title: str, body: Markup, *, script: str = "") -> str:
    """A page of the harness: its style, its policy, and at most one script of its own."""
    style = _asset("style.css")
    allowed = "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script) if script else chr(39) + 'none' + chr(39)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    whole = el(
        "html",
        el(
            "head",
            el("meta", charset="utf-8"),
            el("meta", http_equiv="Content-Security-Policy", content=allowed),
            el("meta", name="viewport", content="width=device-width, initial-scale=1"),
            el("meta", name="color-scheme", content="light dark"),
            el("title", title),
            el("style", Markup(style)),
        ),
        el("body", body, el("script", Markup(script)) if script else None),
        lang="en",
    )
    return f"<!DOCTYPE html>\n{whole}\n"


def _nights(run: Run) -> list[tuple[str, str, Markup]]:
    found = run.compared
    return [("nights", "Beside earlier nights", nights(found))] if found else []


def _rates(run: Run) -> Markup:
    began_s = run.entries[0].at_s if run.entries else 0.0
    planned = {
        e.exchange: e.at_s - began_s for e in run.entries if isinstance(e.record, ExchangePlanned)
    }
    ports = dict.fromkeys(
        (one.seen.nodes[role], nic)
        for one in run.told
        for role in ("server", "client")
        for nic in one.seen.nics(role)
    )
    limits = {
        (one.seen.nodes[role], nic): one.seen.planned.rate_gbit_s / 8
        for one in run.told
        for role in one.seen.nodes
        for nic in one.seen.nics(role)
    }
    ended_s = run.entries[-1].at_s - began_s if run.entries else 0.0
    found = intervals(run.told, planned)
    return rates(found, sorted(ports), (0.0, ended_s), "run", limits_gb_s=limits)


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
