"""The head of the page: what the verdict rests on, and what is missing."""

from __future__ import annotations

from lxml import html

from harness.evidence import ChannelDone, Entry, PreflightEnded, RunEnded
from harness.report.page.run import Run
from harness.report.page.trust import head, unknown
from suites.unit.report.page.test_canaries import of_tests, with_fault
from suites.unit.report.run import green, run, with_claim
from suites.unit.verdict.clean import changed, entries_of


def facts(entries: list[Entry]) -> dict[str, str]:
    return facts_of(Run(entries))


def facts_of(seen: Run) -> dict[str, str]:
    made = html.fromstring(head(seen))
    return {
        part.findtext("dt"): " | ".join(dd.text_content() for dd in part.iter("dd"))
        for part in made.xpath(".//dl/div")
    }


def lines(entries: list[Entry]) -> list[str]:
    return [li.text_content() for li in html.fromstring(unknown(Run(entries))).iter("li")]


def test_verdict_counts_and_meaning_come_first() -> None:
    made = html.fromstring(head(Run(run()))).text_content()
    assert "▲ ERRORThe bench or a test is wrong somewhere" in made
    assert "5 tests: 1 ERROR, 1 FAIL, 1 INCONCLUSIVE, 1 PASS, 1 SKIP." in made


def test_a_green_run_states_what_it_rests_on() -> None:
    told = facts(green())
    assert told["Claims settled"].startswith("7 of 7 | They rest on 2,")
    assert told["Payload verified"].startswith("16.78 MB | 2,097,152 words")
    assert told["Tier"].startswith("testbed | ")
    assert told["Canaries caught"].startswith("none planted | No fault was planted")
    assert told["Could not be known"].startswith("nothing")


def test_a_claim_without_a_verdict_is_counted_and_named() -> None:
    told = facts(with_claim(green(), "rate-4"))["Claims settled"]
    assert told.startswith("7 of 8 | Without a verdict: UNSETTLED: the claim 'rate-4'")


def test_a_canary_that_was_missed_is_named() -> None:
    assert facts(with_fault(green(), "flip"))["Canaries caught"].startswith("0 of 1 | Missed: flip")
    assert facts_of(of_tests(planted="PASS"))["Canaries caught"].startswith(
        "1 of 1 | Faults planted"
    )


def test_payload_that_nobody_verified_is_not_counted_as_verified() -> None:
    entries = changed(green(), ChannelDone, words_verified=0, bytes_verified=0)
    assert facts(entries)["Payload verified"].startswith("0 B | 0 words")
    assert "16.78 MB more moved unverified" in facts(entries)["Payload verified"]
    assert lines(entries) == ["The payload of 1 exchange (16.78 MB) was not verified here."]


def test_of_payload_that_was_verified_in_part_that_part_counts() -> None:
    first = changed(green(), ChannelDone, where={"channel": 1}, words_verified=0, bytes_verified=0)
    told = facts(first)["Payload verified"]
    assert told.startswith("12.58 MB | 1,572,864 words")
    assert "4.19 MB more moved unverified" in told


def test_what_could_not_be_known_is_listed() -> None:
    cut = [e for e in run() if not isinstance(e.record, RunEnded)]
    preflight = PreflightEnded(nodes=("a",), checked=1, duration_s=0.1, unknown=("a: bios",))
    told = lines([*cut, *entries_of([(0.0, preflight)], exchange="")])
    assert told[0].startswith("The run has no end")
    assert "1 test skipped: the inventory states no rate" in told
    assert told[-1] == "Not readable on a node: a: bios"
