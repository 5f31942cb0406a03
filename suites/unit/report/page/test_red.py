"""What is red, each with what a person needs to go on."""

from __future__ import annotations

import pytest
from lxml import html

from harness.evidence import Entry, Judged, RunEnded
from harness.report.page import page
from harness.report.page.red import IN_BRIEF, IN_FULL, MANY_CLAIMS, place, red
from harness.report.page.run import Run
from suites.unit.report.page.made import many
from suites.unit.report.page.rules import problems
from suites.unit.report.run import BROKEN, DAMAGED, green, run


def made(entries: list) -> html.HtmlElement:
    return html.fromstring(f"<div>{red(Run(entries))}</div>")


@pytest.fixture
def damaged() -> html.HtmlElement:
    return made(run()).get_element_by_id(place(2))


def test_the_index_leads_to_each_in_the_same_order() -> None:
    links = made(run()).xpath("//ol//a/@href")
    assert links == [f"#{place(n)}" for n in (4, 2, 3)]
    assert [f"#{one.get('id')}" for one in made(run()).iter("article")] == links


def test_the_headline_names_class_node_nic_channel_and_chunk(damaged: html.HtmlElement) -> None:
    assert damaged.findtext("h3").startswith("BITFLIP alpha/eth3/channel 2/chunk 6: ")


def test_evidence_stands_open_and_repeats_neither_headline_nor_next_step(
    damaged: html.HtmlElement,
) -> None:
    (evidence,) = damaged.xpath("./details[summary='Evidence']")
    assert "open" in evidence.attrib
    assert "damaged chunks" in evidence.findtext("pre")
    assert "next:" not in evidence.findtext("pre")
    claims = evidence.xpath(".//tbody/tr/td[1]")
    assert claims[0].text_content() == "✕ FAIL"
    assert len(claims) == 7


def test_a_red_exchange_has_its_bytes_timeline_rates_and_logs(damaged: html.HtmlElement) -> None:
    summaries = [one.text for one in damaged.xpath("./details/summary")]
    assert summaries == [
        "Evidence", "Where its bytes went", "Timeline of both nodes", "GB/s of its NICs", "Logs",
    ]  # fmt: skip
    assert len(damaged.xpath(".//svg")) == 3


def test_the_command_runs_it_again_with_its_seed(damaged: html.HtmlElement) -> None:
    assert damaged.xpath(".//pre/code")[0].text == f"pytest '{DAMAGED}'  # seed 0"
    broken = made(run()).get_element_by_id(place(4))
    assert broken.xpath(".//pre/code")[0].text == f"pytest {BROKEN}"


def test_the_next_step_shows_commands_as_code() -> None:
    (step,) = made(run()).get_element_by_id(place(2)).find_class("step")
    assert step.text_content().startswith("Next: Run the same plan and seed again")


def test_a_run_that_is_red_as_a_whole_says_what_to_do_too() -> None:
    (article,) = made([e for e in green() if not isinstance(e.record, RunEnded)]).iter("article")
    (step,) = article.find_class("step")
    assert step.text_content().startswith("Next: Run it again; the journal has everything")


def test_many_claims_that_hold_are_folded_away() -> None:
    entries = run()
    (at,) = [i for i, e in enumerate(entries) if e.exchange == "main-2" and _holds(e)][:1]
    made_red = made([*entries[: at + 1], *[entries[at]] * MANY_CLAIMS, *entries[at + 1 :]])
    article = made_red.get_element_by_id(place(2))
    captions = [caption.text for caption in article.xpath("./details[1]//caption")]
    assert captions == [
        "Claims of this test that do not hold", "Claims of this test that hold",
    ]  # fmt: skip
    assert len(article.xpath("./details[1]/details//tbody/tr")) > MANY_CLAIMS


def _holds(entry: Entry) -> bool:
    return isinstance(entry.record, Judged) and entry.record.outcome == "PASS"


def test_beyond_the_first_the_red_are_told_in_brief() -> None:
    articles = list(made(many(2 * IN_FULL, ("FAIL",))).iter("article"))
    assert len(articles) == 2 * IN_FULL
    assert [one.get("class") for one in articles[-IN_FULL:]] == ["red brief"] * IN_FULL
    assert "evidence" in articles[-1].findtext("details/pre")


def test_a_run_of_nothing_but_red_points_to_the_rest() -> None:
    entries = many(IN_FULL + IN_BRIEF + 7, ("FAIL",))
    assert "7 red tests more" in made(entries).text_content()
    assert len(list(made(entries).iter("article"))) == IN_FULL + IN_BRIEF
    assert problems(page(entries)) == []


def test_a_green_run_says_that_nothing_is_red() -> None:
    assert red(Run(green())) == "<p>Nothing is red.</p>"


def test_a_run_that_broke_without_a_red_test_has_its_own_command() -> None:
    entries = green()[:-1]
    assert "INTERRUPTED" in made(entries).findtext(".//h3")
    assert made(entries).xpath(".//pre/code")[0].text == "pytest"
