"""The whole page: complete, in order, safe, and the same for the same entries."""

from __future__ import annotations

import pytest
from lxml import html

from harness.evidence import Entry
from harness.report.ending import all_cases
from harness.report.page import document, page
from harness.report.page.markup import Markup
from suites.unit.report.page.made import HOSTILE, hostile, many
from suites.unit.report.page.rules import problems
from suites.unit.report.run import green, run

RUNS = {"run": run, "green": green, "many": lambda: many(600), "hostile": hostile, "none": list}


def rows(text: str) -> list[tuple[str, str]]:
    """Outcome and test of each line of the list, in order."""
    found = html.document_fromstring(text).xpath("//section[@id='tests']//tbody/tr")
    return [(row.get("class"), _test(row)) for row in found]


def _test(row: html.HtmlElement) -> str:
    said = row.find("th").xpath(".//summary") or row.find("th").xpath("./a") or [row.find("th")]
    name, *file = said[0].xpath("text() | span/text()")
    return f"{file[0]}::{name.strip()}" if file else name.strip()


@pytest.mark.parametrize("made", RUNS)
def test_a_page_keeps_every_rule(made: str) -> None:
    assert problems(page(RUNS[made]())) == []


@pytest.mark.parametrize("made", ["run", "green", "many"])
def test_every_planned_test_stands_there_once_and_the_red_first(made: str) -> None:
    entries = RUNS[made]()
    listed = rows(page(entries))
    assert sorted(test for _, test in listed) == sorted(case.test for case in all_cases(entries))
    red = [outcome not in ("PASS", "SKIP") for outcome, _ in listed]
    assert red == sorted(red, reverse=True)


def test_the_same_entries_give_the_same_bytes() -> None:
    assert page(run()) == page(run())


def test_hostile_words_stay_words() -> None:
    root = html.document_fromstring(page(hostile()))
    assert root.xpath("//img") == []
    assert len(root.xpath("//script")) == 1
    shown = HOSTILE.replace("\x1b", "#x1B").replace("\u202e", "#x202E")
    assert root.text_content().count(shown) > 50


@pytest.mark.parametrize("length", range(0, len(run()), 9))
def test_a_run_that_was_cut_off_anywhere_has_a_page(length: int) -> None:
    text = page(run()[:length])
    assert problems(text) == []
    assert "▲</span> ERROR" in text


def test_what_a_script_may_do_is_said_by_the_page_itself() -> None:
    root = html.document_fromstring(page(green()))
    (policy,) = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy.count("'sha256-") == 2
    assert "script-src &#x27;none&#x27;" in document("t", Markup("<h1>t</h1>"))


PLANTED = {
    "id a stands 2 times": "<p id=a></p><p id=a></p>",
    "nothing has the id b": "<a href='#b'>b</a>",
    "<a> points to https://x": "<a href='https://x'>x</a>",
    "<img> points to http://x/y.png": "<img alt=x src='http://x/y.png'>",
    "a style fetches: url(": "<style>a{background:url(x)}</style>",
    "<p> has onclick": "<p onclick='x()'>",
    "<p> has style": "<p style='color:red'>",
    "2 scripts": "<script>1</script><script>2</script>",
    "there is a <iframe>": "<iframe></iframe>",
    "h4 follows h2": "<h2>a</h2><h4>b</h4>",
    "not one h1, at the beginning": "<h1>again</h1>",
    "<img> without alt: #x": "<img src='#x'>",
    "a picture without role, title or description: ['', '']": "<svg role=img></svg>",
    "a table without a caption or heads": "<table><tr><td>1</table>",
}


@pytest.mark.parametrize("problem", PLANTED)
def test_every_rule_can_be_broken(problem: str) -> None:
    made = f"<!DOCTYPE html><html><body><h1>t</h1>{PLANTED[problem]}</body></html>"
    assert problems(made) == [problem]


def test_a_row_that_is_missing_or_late_is_seen() -> None:
    """The two checks of the list can fail."""
    entries: list[Entry] = many(8)
    listed = rows(page(entries))
    assert [outcome for outcome, _ in listed][:3] == ["ERROR", "FAIL", "INCONCLUSIVE"]
    assert len(rows(page(entries).replace("<tr id=", "<div id=", 1))) != len(listed)
