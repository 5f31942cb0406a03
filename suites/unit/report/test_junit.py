"""JUnit in two profiles, read back by two independent parsers.

`junit-10.xsd` is Jenkins' schema, copied from the xunit plugin (jenkinsci/xunit-plugin,
src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd), MIT licence inside.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import junitparser
import pytest
from _pytest.junitxml import bin_xml_escape, mangle_test_address
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import xunit2
from lxml import etree

from harness.errors import ReportError
from harness.evidence import Entry, Judged, TestFinished, TestsPlanned
from harness.report.junit import PROFILES, address, junit
from suites.unit.report.page.made import hostile
from suites.unit.report.run import BROKEN, DAMAGED, MAPPED, OPEN, PLANNED, SKIPPED, green, run
from suites.unit.report.shards import between, on_nodes, tried, with_record

RUN = run()
SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("junit-10.xsd")))


def parsed(text: str) -> etree._Element:
    return etree.fromstring(text.encode())


def cases_of(text: str) -> dict[tuple[str, str], etree._Element]:
    found = parsed(text).findall(".//testcase")
    named = {(c.get("classname"), c.get("name")): c for c in found}
    assert len(named) == len(found), "two cases with one name"
    return named


def finished(entries: list[Entry], test: str, **fields: str) -> list[Entry]:
    return [
        replace(e, record=replace(e.record, **fields))
        if isinstance(e.record, TestFinished) and e.record.test == test
        else e
        for e in entries
    ]


@pytest.mark.parametrize("at", [*range(0, len(RUN), 7), len(RUN)])
def test_strict_is_valid_under_jenkins_schema_whenever_the_run_was_cut(at: int) -> None:
    document = parsed(junit(RUN[:at], profile="strict"))
    assert SCHEMA.validate(document), SCHEMA.error_log


def test_the_schema_does_refuse() -> None:
    """The rich profile has what the schema lacks: a validation that never fails proves nothing."""
    assert not SCHEMA.validate(parsed(junit(RUN, profile="rich")))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("at", [2, 20, len(RUN) - 1, len(RUN)])
def test_every_planned_test_is_there_once_with_pytests_own_names(profile: str, at: int) -> None:
    names = [mangle_test_address(test) for test in PLANNED]
    expected = {(".".join(parts[:-1]), parts[-1]) for parts in names}
    assert set(cases_of(junit(RUN[:at], profile=profile))) == expected


@pytest.mark.parametrize("profile", PROFILES)
def test_both_readers_see_the_same_results(profile: str, tmp_path: Path) -> None:
    text = junit(RUN, profile=profile)
    (tmp_path / "junit.xml").write_text(text)
    suite = next(iter(junitparser.JUnitXml.fromfile(str(tmp_path / "junit.xml"))))
    counts = (suite.tests, suite.failures, suite.errors, suite.skipped)
    assert counts == (5, 1, 2, 1)
    elements = cases_of(text)
    for case in suite:
        kinds = [type(result).__name__.lower() for result in case.result]
        children = [c.tag for c in elements[case.classname, case.name]]
        assert kinds == [tag for tag in children if tag in ("failure", "error", "skipped")]


@pytest.mark.parametrize(
    ("test", "tag", "klass", "begins"),
    [
        (DAMAGED, "failure", "BITFLIP", "BITFLIP alpha/eth3/channel 2/chunk 6: "),
        (OPEN, "error", "COUNTER", "INCONCLUSIVE COUNTER alpha/eth2: "),
        (BROKEN, "error", "INFRA_SSH", "ERROR INFRA_SSH: beta: "),
        (SKIPPED, "skipped", "skipped", "the inventory states no rate"),
    ],
)
def test_each_outcome_has_its_element_class_and_words(test, tag, klass, begins) -> None:
    (result,) = cases_of(junit(RUN))[address(test)].findall(tag)
    assert result.get("type") == klass
    assert result.get("message").startswith(begins)


def test_a_passed_case_has_no_result() -> None:
    case = cases_of(junit(RUN))[address(MAPPED)]
    assert {child.tag for child in case} == {"properties", "system-out"}


def test_a_cut_run_says_of_each_test_what_became_of_it() -> None:
    at = next(i for i, e in enumerate(RUN) if e.exchange == "main-1") + 5
    found = cases_of(junit(RUN[:at]))
    assert found[address(MAPPED)].find("error").get("type") == "INTERRUPTED"
    assert {found[address(t)].find("error").get("type") for t in PLANNED if t != MAPPED} == {
        "NOT_RUN"
    }


def test_a_cut_run_whose_tests_are_green_is_red() -> None:
    assert parsed(junit(green())).get("errors") == "0"
    assert parsed(junit(green()[:-1])).get("errors") == "1"
    assert parsed(junit([])).get("errors") == "1"


def test_rich_has_place_and_measurements() -> None:
    case = cases_of(junit(RUN, profile="rich"))[address(MAPPED)]
    assert (case.get("file"), case.get("line")) == ("suites/hardware/test_mapping.py", "10")
    properties = {p.get("name"): p.get("value") for p in case.findall("properties/property")}
    assert properties["tier"] == "testbed"
    assert properties["client"] == "beta[eth1,eth2,eth3,eth4]"
    assert (properties["channels"], properties["seed"]) == ("4", "0")
    assert (properties["gb_s"], properties["words_verified"]) == ("0.017", "2097152")
    assert "delivery=PASS(24)" in properties["claims"]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("outcomes", "asked", "elements"),
    [
        (("FAIL", "ERROR", "PASS"), 3, ["flakyFailure K1", "flakyError K2"]),
        (("FAIL", "PASS"), 1, ["failure K1"]),
        (("INCONCLUSIVE", "ERROR"), 2, ["error K2", "rerunError K1"]),
        (("FAIL", "FAIL"), 2, ["failure K1", "rerunFailure K2"]),
    ],
)
def test_every_red_try_has_its_element(outcomes, asked, elements, profile, tmp_path) -> None:
    text = junit(tried(*outcomes, asked=asked), profile=profile)
    (case,) = cases_of(text).values()
    red = [child for child in case if child.tag not in ("properties", "system-out")]
    assert [f"{child.tag} {child.get('type')}" for child in red] == elements
    tries = [child for child in red if child.tag.startswith(("flaky", "rerun"))]
    assert all(child.findtext("stackTrace").startswith("detail ") for child in tries)
    assert case.findtext("system-out").splitlines()[-1].startswith(f"try {len(outcomes)}: ")
    assert SCHEMA.validate(parsed(text)) == (profile == "strict")
    (tmp_path / "junit.xml").write_text(text)
    (suite,) = xunit2.JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    (read,) = suite
    seen = [*read.result, *read.rerun_failures(), *read.rerun_errors()]
    seen += [*read.flaky_failures(), *read.flaky_errors()]
    names = sorted(type(one).__name__.lower() for one in seen)
    assert names == sorted(child.tag.lower() for child in red)


def test_two_tests_of_one_name_are_told_apart() -> None:
    """Two paths can be one class; whoever reads the file would drop the second."""
    twins = {"a/b.py::test": "a/b.py:1", "a.b.py::test": "a.b.py:1"}
    entries = [replace(green()[0], record=TestsPlanned(tests=twins))]
    assert set(cases_of(junit(entries))) == {("a.b", "test"), ("a.b", "test #2")}


def test_a_suite_a_pair_and_the_sums_are_the_wholes() -> None:
    mesh = between(on_nodes(RUN, "gamma", "beta", "alpha"), "main-2", "gamma", "alpha")
    root = parsed(junit(mesh, profile="strict"))
    assert SCHEMA.validate(root), SCHEMA.error_log
    assert [suite.get("name") for suite in root] == [
        "hil testbed beta+alpha",
        "hil testbed gamma+alpha",
        "hil testbed gamma+beta+alpha",
    ]
    for name in ("tests", "failures", "errors"):
        assert int(root.get(name)) == sum(int(suite.get(name)) for suite in root)
    assert root.get("tests") == "5"


def test_the_suite_is_named_by_tier_and_nodes() -> None:
    suite = parsed(junit(RUN)).find("testsuite")
    assert suite.get("name") == "hil testbed alpha+beta"
    assert suite.get("timestamp") == "2026-09-21T14:13:20"


def test_each_case_shows_its_exchanges_lines() -> None:
    said = cases_of(junit(RUN))[address(DAMAGED)].findtext("system-out")
    assert "channel  2  eth3 to eth3" in said
    assert "FAIL integrity: BITFLIP alpha/eth3/channel 2/chunk 6" in said


@pytest.mark.parametrize("profile", PROFILES)
def test_the_same_journal_gives_the_same_bytes(profile: str) -> None:
    assert junit(RUN, profile=profile) == junit(run(), profile=profile)


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ReportError, match="unknown JUnit profile 'xunit2'"):
        junit(RUN, profile="xunit2")


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_no_text_can_damage_the_document(text: str) -> None:
    """What a node says ends in messages and details; all of it must parse, and none be dropped."""
    entries = finished(RUN, BROKEN, message=f"said {text}", detail=text)
    document = parsed(junit(entries, profile="strict"))
    assert SCHEMA.validate(document)
    assert parsed(junit(entries)).get("errors") == "2"


@pytest.mark.parametrize("profile", PROFILES)
def test_no_name_can_damage_the_document_either(profile: str) -> None:
    """Of nodes, tiers, files and classes, which stand in attributes."""
    root = parsed(junit(hostile(), profile=profile))
    assert len(root.findall(".//testcase")) == len(PLANNED)
    assert "#x1B" in root.get("name", "")


def test_no_node_can_have_a_file_attached() -> None:
    """Jenkins publishes whatever file of its own stands in such a line."""
    entries = with_record(green(), Judged, fact="[[ATTACHMENT|/etc/shadow]]")
    (case,) = parsed(junit(entries)).findall(".//testcase")
    assert "[ATTACHMENT|/etc/shadow]]" in case.findtext("system-out", "")
    assert "[[ATTACHMENT|" not in case.findtext("system-out", "")


def test_illegal_characters_are_shown_as_pytest_shows_them() -> None:
    text = "\x00\x1b[31mred\x7f \ud800 \ufffe"
    entries = finished(RUN, BROKEN, message=text)
    error = cases_of(junit(entries))[address(BROKEN)].find("error")
    assert error.get("message") == f"ERROR {bin_xml_escape(text)}"


def test_a_role_that_never_stops_talking_does_not_fill_the_report() -> None:
    entries = finished(RUN, BROKEN, message="m" * 10_000, detail="d" * 5_000_000)
    error = cases_of(junit(entries))[address(BROKEN)].find("error")
    assert len(error.get("message")) < 1_100
    assert len(error.text) < 101_000
    assert "4,900,000 characters more in the journal" in error.text


def test_a_failure_without_words_is_still_a_failure() -> None:
    entries = finished(RUN, BROKEN, outcome="FAIL", klass="", message="", detail="")
    assert cases_of(junit(entries))[address(BROKEN)].find("failure").get("message") == "FAIL"


@given(
    st.text(alphabet="abc/._-", min_size=1),
    st.lists(st.text(alphabet="Test_ab", min_size=1), min_size=1, max_size=3),
    st.one_of(st.none(), st.text(alphabet="a[]:./-\x1b é", max_size=12)),
)
def test_addresses_are_pytests(path: str, names: list[str], parameters: str | None) -> None:
    test = "::".join([path, *names]) + (f"[{parameters}]" if parameters is not None else "")
    *classes, name = mangle_test_address(test)
    assert address(test) == (".".join(classes), bin_xml_escape(name))
