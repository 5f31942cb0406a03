"""What holds of every page of the harness, as one function of its text: problems, one a line."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from lxml import html

OWN = ("#",)  # where links and pictures may point: into the page
POINTERS = (
    "href",
    "src",
    "srcset",
    "action",
    "data",
    "poster",
    "{http://www.w3.org/1999/xlink}href",
)
NAMES = ("aria-labelledby", "aria-describedby", "for")
FETCHES = re.compile(r"url\(|@import|image-set\(", re.IGNORECASE)


def problems(text: str) -> list[str]:
    root = html.document_fromstring(text)
    return [
        *_ids(root),
        *_links(root),
        *_outside(root),
        *_active(root),
        *_headings(root),
        *_pictures(root),
        *_tables(root),
    ]


def _ids(root: html.HtmlElement) -> list[str]:
    times = Counter(root.xpath("//@id"))
    return [f"id {name} stands {n} times" for name, n in times.items() if n > 1]


def _links(root: html.HtmlElement) -> list[str]:
    known = set(root.xpath("//@id"))
    wanted = {href[1:] for href in root.xpath("//a/@href") if href.startswith("#")}
    wanted |= {name for kind in NAMES for each in root.xpath(f"//@{kind}") for name in each.split()}
    return [f"nothing has the id {name}" for name in sorted(wanted - known)]


def _outside(root: html.HtmlElement) -> list[str]:
    pointed = [
        (element.tag, value)
        for element in root.iter()
        for name in POINTERS
        if (value := element.get(name)) is not None
    ]
    wrong = [f"<{tag}> points to {value}" for tag, value in pointed if not value.startswith(OWN)]
    styles = [style.text_content() for style in root.iter("style")]
    return wrong + [f"a style fetches: {m[0]}" for s in styles for m in FETCHES.finditer(s)]


def _active(root: html.HtmlElement) -> list[str]:
    """Nothing runs but one script; no handler, no style in an attribute (the policy refuses it)."""
    scripts = len(list(root.iter("script")))
    wrong = [f"{scripts} scripts"] if scripts > 1 else []
    for element in root.iter():
        active = [n for n in map(str, element.attrib) if n.startswith("on") or n == "style"]
        wrong += [f"<{element.tag}> has {name}" for name in active]
        if element.tag in ("iframe", "object", "embed", "base", "link"):
            wrong.append(f"there is a <{element.tag}>")
    return wrong


def _headings(root: html.HtmlElement) -> list[str]:
    levels = [int(e.tag[1]) for e in root.iter() if re.fullmatch("h[1-6]", str(e.tag))]
    wrong = [] if levels.count(1) == 1 and levels[0] == 1 else ["not one h1, at the beginning"]
    skips = pairwise(levels)
    return wrong + [f"h{b} follows h{a}" for a, b in skips if b > a + 1]


def _pictures(root: html.HtmlElement) -> list[str]:
    wrong = [
        f"<img> without alt: {img.get('src')}" for img in root.iter("img") if not img.get("alt")
    ]
    for svg in root.iter("svg"):
        said = [svg.findtext(name) or "" for name in ("title", "desc")]
        if svg.get("role") != "img" or not all(said):
            wrong.append(f"a picture without role, title or description: {said}")
    return wrong


def _tables(root: html.HtmlElement) -> list[str]:
    return [
        "a table without a caption or heads"
        for table in root.iter("table")
        if table.find("caption") is None or not table.xpath("./thead//th[@scope='col']")
    ]
