"""Tonight beside earlier nights, on the run's page."""

from __future__ import annotations

from dataclasses import replace

from lxml import html

from harness.evidence import Compared, Entry
from harness.report.page.nights import SHOWN, nights
from harness.report.page.page import page
from suites.unit.report.page.made import many
from suites.unit.report.page.rules import problems
from suites.unit.report.run import joined
from suites.unit.verdict.clean import entries_of

SAME = Compared(
    fingerprint="f" * 12, plan="p" * 12, metric="gb_s", subject="eth1", outcome="PASS", klass="",
    fact="as before", level=0.12, k=12, excluded=0, effect=0.001, floor=0.02, p=0.8, q=0.9,
    baseline=("r1", "r2", "r3", "r4", "r5"),
)  # fmt: skip
WORSE = replace(
    SAME, subject="eth3", outcome="FAIL", klass="REGRESSION", fact="0.110 GB/s, 8% less",
    level=0.110, effect=-0.08, q=0.0004, excluded=1, first="r6", next_step="ask who changed it",
)  # fmt: skip
UNKNOWN = replace(
    SAME, subject="eth4", outcome="INCONCLUSIVE", klass="NO_BASELINE", fact="2 nights", baseline=()
)


def shown(*compared: Compared) -> html.HtmlElement:
    return html.fromstring(f"<div>{nights(compared)}</div>")


def with_nights(*compared: Compared) -> list[Entry]:
    told = [entries_of([(0.0, one)], exchange="") for one in compared]
    return joined([many(3), *told])


def test_what_is_worse_comes_first_with_its_night_and_what_to_do() -> None:
    made = shown(SAME, UNKNOWN, WORSE)
    rows = [row.text_content() for row in made.xpath("//tbody/tr")]
    assert [row.split(",")[0] for row in rows] == ["eth3", "eth4", "eth1"]
    said = [item.text_content() for item in made.xpath("//ul/li")]
    assert len(said) == 2, "what is as before is not repeated"
    assert "REGRESSION eth3: 0.110 GB/s, 8% less. Since run r6. Next: ask who changed it" in said[0]
    assert "3 figures compared, 2 not as before or not known" in made.text_content()


def test_a_row_has_what_the_verdict_rests_on() -> None:
    (row,) = shown(WORSE).xpath("//tbody/tr")
    cells = [cell.text_content() for cell in row]
    assert cells[0] == "eth3, GB/s, plan pppppp"
    assert cells[2:6] == ["0.110 GB/s", "-8.0%", "2.0%", "0.0004"]
    assert cells[6:] == ["12 (and 1 excluded)", "5 runs, r1 to r5"]


def test_without_a_baseline_no_change_is_shown() -> None:
    (row,) = shown(UNKNOWN).xpath("//tbody/tr")
    assert [cell.text_content() for cell in row][3:6] == ["", "", ""]
    assert row[-1].text_content() == "none"


def test_a_word_that_is_no_outcome_is_nobodys_pass() -> None:
    made = shown(replace(SAME, outcome="FINE"))
    assert "ERROR" in made.xpath("//tbody/tr")[0].text_content()
    assert "1 not as before" in made.text_content()


def test_a_long_night_is_cut_after_the_worst() -> None:
    made = shown(*[SAME] * SHOWN, WORSE)
    assert len(made.xpath("//tbody/tr")) == SHOWN
    assert "eth3" in made.xpath("//tbody/tr")[0].text_content()
    assert "1 more" in made.text_content()


def test_only_a_run_that_compared_has_the_part() -> None:
    text = page(with_nights(WORSE))
    assert problems(text) == []
    assert html.fromstring(text).xpath("//nav//a[@href='#nights']")
    assert "Beside earlier nights" not in page(many(3))


def test_what_compares_nights_is_run_again_with_all_that_measured() -> None:
    entries = with_nights(WORSE)
    text = html.fromstring(page(entries)).text_content()
    assert "pytest 'suites/hardware/test_many.py::test_number[1]'" not in text
    alone = html.fromstring(page(many(3, ("FAIL",)))).text_content()
    assert "pytest 'suites/hardware/test_many.py::test_number[1]'" in alone
