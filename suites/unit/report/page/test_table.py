"""Tables that can be read aloud."""

from __future__ import annotations

from lxml import html

from harness.report.page.table import as_table, table


def test_every_head_says_what_it_heads_and_numbers_are_marked() -> None:
    made = html.fromstring(table("NICs", ("NIC", "bytes"), [("eth1", 5)], numeric={1}))
    assert [one.get("scope") for one in made.iter("th")] == ["col", "col", "row"]
    assert [one.text_content() for one in made.iter("caption")] == ["NICs"]
    assert [one.text_content() for one in made.find_class("n")] == ["bytes", "5"]
    assert made.get("tabindex") == "0"
    assert made.get("aria-label") == "NICs"


def test_a_pictures_table_opens_without_scripts() -> None:
    made = html.fromstring(as_table("as a table", table("a", ("b",), [])))
    assert made.tag == "details"
    assert made[0].tag == "summary"
