"""The list of all tests."""

from __future__ import annotations

from lxml import html

from harness.report.page.listing import PART, WITH_CLAIMS, listing
from harness.report.page.run import Run
from suites.unit.report.page.made import many
from suites.unit.report.run import run


def made(entries: list) -> html.HtmlElement:
    return html.fromstring(listing(Run(entries)))


def test_a_row_has_the_tests_figures() -> None:
    row = made(run()).get_element_by_id("test-1")
    figures = [cell.text_content() for cell in row][2:]
    assert figures == ["7 of 7", "0.017", "2,097,152", "1.23"]
    assert row.get("class") == "PASS"


def test_a_green_tests_claims_open_in_place_and_a_red_ones_name_leads_to_its_evidence() -> None:
    rows = made(run())
    assert len(rows.get_element_by_id("test-1").xpath(".//details//li")) == 7
    assert rows.get_element_by_id("test-2").xpath(".//a/@href") == ["#red-2"]


def test_a_skip_has_its_reason() -> None:
    assert "the inventory states no rate" in made(run()).get_element_by_id("test-5").text_content()


def test_a_long_list_comes_in_parts_that_say_what_they_hold() -> None:
    parts = made(many(2 * PART + 1, ("PASS",))).find_class("part")
    captions = [part.findtext("table/caption") for part in parts]
    assert captions == [
        "Tests 1 to 250 of 501", "Tests 251 to 500 of 501", "Tests 501 to 501 of 501",
    ]  # fmt: skip
    assert parts[0].get("class") == "part PASS"


def test_outcomes_to_choose_from_are_those_that_there_are() -> None:
    chosen = made(many(3, ("PASS", "FAIL"))).xpath("//input[@type='radio']/@id")
    assert chosen == ["only-all", "only-FAIL", "only-PASS"]


def test_what_needs_the_script_is_hidden_without_it() -> None:
    rows = made(run())
    hidden = rows.xpath("//*[@hidden]")
    assert {one.tag for one in hidden} == {"label", "p"}
    assert rows.get_element_by_id("search").getparent() in hidden


def test_a_very_long_list_leaves_the_claims_of_green_tests_to_verdict_json() -> None:
    assert "verdict.json" in made(many(WITH_CLAIMS + 1, ("PASS",))).text_content()
    assert "verdict.json" not in made(run()).text_content()
