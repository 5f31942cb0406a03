"""GitHub's escaping and limits, which it enforces by dropping what is beyond them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.evidence import Entry, RunEnded, TestFinished, TestsPlanned
from harness.report import publish, suites
from harness.report.github import ANNOTATIONS, SUMMARY_BYTES, command, errors, step_summary
from suites.unit.report.run import BROKEN, DAMAGED, green, run
from suites.unit.report.shards import tried

RUN = suites(run())
PLACE = "reports/run-1/junit.xml"


def many(count: int, message: str = "K: seen") -> list[Entry]:
    """A run of so many red tests."""
    entries = green()
    tests = {f"a.py::test_{n}": f"a.py:{n}" for n in range(count)}
    ends = [
        TestFinished(test=t, outcome="FAIL", duration_s=0.0, klass="K", message=message)
        for t in tests
    ]
    records = [TestsPlanned(tests=tests), *ends]
    return [entries[0], *(replace(entries[0], record=r) for r in records), entries[-1]]


@pytest.mark.parametrize(
    ("text", "data", "of_property"),
    [
        ("100%", "100%25", "100%25"),
        ("a\r\nb", "a%0D%0Ab", "a%0D%0Ab"),
        ("a:b,c", "a:b,c", "a%3Ab%2Cc"),
        ("%0A", "%250A", "%250A"),
        ("é::x", "é::x", "é%3A%3Ax"),
    ],
)
def test_data_and_properties_are_escaped_as_the_runner_reads_them(text, data, of_property) -> None:
    assert command("error", text, title=text) == f"::error title={of_property}::{data}"


def test_a_property_that_is_empty_is_left_out() -> None:
    assert command("error", "x", file="", line="", title="") == "::error::x"
    assert command("error", "x", file="a.py", line="") == "::error file=a.py::x"


def test_every_red_case_is_an_error_at_its_line_with_the_next_step() -> None:
    (damaged, *others) = errors(RUN)
    assert len(others) == 2
    assert damaged.startswith(
        "::error file=suites/hardware/test_integrity.py,line=12,"
        "title=BITFLIP TestSizes%3A%3Atest_any_size_arrives_whole[64-a%3A%3Ab]"
        "::BITFLIP alpha/eth3/channel 2/chunk 6: "
    )
    assert "%0Anext: Run the same plan and seed again" in damaged
    assert others[0].partition("::INCONCLUSIVE COUNTER alpha/eth2")[1]


def test_a_run_that_is_red_as_a_whole_says_what_to_do() -> None:
    cut = suites([e for e in green() if not isinstance(e.record, RunEnded)])
    (line,) = errors(cut)
    assert "%0Anext: Run it again; the journal has everything" in line
    assert "| Run it again; the journal has everything" in step_summary(cut, "here")


def test_nothing_that_a_node_says_begins_a_command_of_its_own() -> None:
    (line, *_) = errors(suites(many(1, "x\n::set-output name=a::b")))
    assert "\n" not in line
    assert "::K: " not in line.replace("::x%0A", "")


@pytest.mark.parametrize(("red", "lines"), [(9, 9), (10, 10), (11, 10), (500, 10)])
def test_a_step_has_ten_annotations_and_the_last_counts_the_rest(red: int, lines: int) -> None:
    found = errors(suites(many(red)))
    assert len(found) == lines == min(red, ANNOTATIONS)
    left = re.search(r"::and (\d+) more red tests", found[-1])
    assert (left is not None) == (red > ANNOTATIONS)
    assert left is None or int(left[1]) == red - 9


def test_the_summary_has_verdict_reds_places_next_steps_and_the_largest_exchange() -> None:
    text = step_summary(RUN, PLACE)
    assert text.startswith("## ERROR: hil testbed alpha+beta\n")
    assert "5 tests: 1 SKIP, 1 PASS, 1 INCONCLUSIVE, 1 FAIL, 1 ERROR" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert [row.split(" | ")[0] for row in rows] == ["| FAIL", "| INCONCLUSIVE", "| ERROR"]
    assert " | BITFLIP | alpha/eth3 | " in rows[0]
    assert "Run the same plan and seed again" in rows[0]
    assert "largest exchange main-1: transfer" in text
    assert f"Report: `{PLACE}`" in text


def test_a_green_run_has_no_table_and_a_flaky_one_says_so() -> None:
    assert "| outcome |" not in step_summary(suites(green()), PLACE)
    text = step_summary(suites(tried("FAIL", "PASS", asked=2)), PLACE)
    assert text.startswith("## PASS")
    assert "### Flaky" in text
    assert "a.py::test_a: K1: seen" in text


def test_what_a_node_says_is_no_markdown_no_html_and_no_second_cell() -> None:
    text = step_summary(suites(many(1, "<img src=x> | `a` [b](c)\n| PASS |")), PLACE)
    (row,) = [line for line in text.splitlines() if line.startswith("| FAIL")]
    assert "&lt;img src=x&gt;" in row
    assert len(re.findall(r"(?<!\\)\|", row)) == 7
    assert r"\[b\](c)" in row


@pytest.mark.parametrize("most", [100, 2_000, 50_000, SUMMARY_BYTES])
def test_a_summary_keeps_to_its_limit_and_says_what_it_left_out(most: int) -> None:
    text = step_summary(suites(many(5_000, "é" * 400)), PLACE, most)
    assert len(text.encode()) <= most
    if most > 1_000:
        rows = sum(line.startswith("| FAIL") for line in text.splitlines())
        assert f"and {5_000 - rows} more in the report" in text
        assert PLACE in text


def test_what_other_commands_wrote_counts_too(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    file.write_text("x" * (SUMMARY_BYTES - 3_000))
    publish(suites(many(200)), PLACE, environ(file), lambda line: None)
    assert SUMMARY_BYTES - 1_000 < file.stat().st_size <= SUMMARY_BYTES
    assert "more in the report" in file.read_text()


def environ(file: Path) -> dict[str, str]:
    return {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(file)}


def test_elsewhere_nothing_is_said_and_nothing_written(tmp_path: Path) -> None:
    file, said = tmp_path / "summary.md", list[str]()
    for variables in ({}, {"GITHUB_ACTIONS": "false", "GITHUB_STEP_SUMMARY": str(file)}):
        publish(RUN, PLACE, variables, said.append)
    assert (said, file.exists()) == ([], False)
    publish(RUN, PLACE, environ(file), said.append)
    assert (len(said), file.exists()) == (3, True)


def test_a_summary_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    said: list[str] = []
    publish(suites(green()), PLACE, environ(tmp_path / "no" / "file"), said.append)
    assert said[0].startswith("::warning::cannot write the summary ")


def test_a_case_without_a_verdict_still_has_its_row() -> None:
    (row,) = [
        r
        for r in step_summary(RUN, PLACE).splitlines()
        if BROKEN.split("::")[1] in r.replace("\\", "")
    ]
    assert "INFRA\\_SSH" in row
    assert DAMAGED not in row
