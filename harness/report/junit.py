"""junit.xml, written by junit-xml through this one adapter, in two profiles.

`rich` (the default) adds what consumers like and Jenkins' schema refuses: properties, file and line
of each case. `strict` is the same without these and is valid under junit-10.xsd. Class and name of
a case are the ones that pytest's own file uses, so that the two files can be compared case by case.

junit-xml knows neither properties of a case nor the schema's attributes and number format: the
element that it builds is repaired here. Nothing depends on the time of writing.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime

import junit_xml

from harness.errors import ReportError
from harness.evidence import Entry, Judged, RunStarted
from harness.report.case import Case
from harness.report.console import told_lines
from harness.report.ending import all_cases
from harness.report.exchanges import Told, exchanges
from harness.report.properties import case_properties, run_properties
from harness.verdict import Outcome

PROFILES = ("rich", "strict")
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
MESSAGE_CHARS = 1_000
TEXT_CHARS = 100_000  # Jenkins keeps no more of a failed case
NOT_IN_SCHEMA = ("disabled", "assertions")
TOTALS = ("name", "time", "tests", "failures", "errors")
# What XML allows, less DEL, as pytest has it: the names in both files must be equal.
ILLEGAL = re.compile("[^\t\n\r\x20-\x7e\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(entries: Sequence[Entry], *, profile: str = "rich") -> str:
    """The whole document; the same entries give the same bytes."""
    if profile not in PROFILES:
        raise ReportError(f"unknown JUnit profile {profile!r}", expected=f"one of {PROFILES}")
    told = exchanges(entries)
    found = all_cases(entries)
    suite = junit_xml.TestSuite(
        _suite_name(entries),
        [_test_case(case, _of(case, told)) for case in found],
        timestamp=_began(entries),
        properties={name: _legal(value) for name, value in run_properties(entries).items()},
    ).build_xml_doc()
    _repair_suite(suite, found)
    judged = [e.record for e in entries if isinstance(e.record, Judged)]
    for case, element in zip(found, suite.iter("testcase"), strict=True):
        element.set("time", f"{case.duration_s:.3f}")
        if profile == "rich":
            ours = [one for one in judged if one.test == case.test]
            _enrich(element, case, case_properties(_of(case, told), ours))
    root = ET.Element("testsuites", {name: suite.attrib[name] for name in TOTALS})
    root.append(suite)
    ET.indent(root)
    return DECLARATION + ET.tostring(root, encoding="unicode") + "\n"


def address(test: str) -> tuple[str, str]:
    """Class and name of a pytest node id, as pytest's own JUnit file has them."""
    path, _, tail = test.partition("::")
    names, bracket, parameters = tail.partition("[")
    parts = [re.sub(r"\.py$", "", path.replace("/", ".")), *filter(None, names.split("::"))]
    parts[-1] += bracket + parameters
    return ".".join(parts[:-1]), _legal(parts[-1])


def _of(case: Case, told: Sequence[Told]) -> list[Told]:
    return [one for one in told if one.seen.planned.test == case.test]


def _test_case(case: Case, told: Sequence[Told]) -> junit_xml.TestCase:
    spoken = "\n".join(told_lines(told))
    classname, name = address(case.test)
    made = junit_xml.TestCase(name, classname, stdout=_legal(spoken, TEXT_CHARS) or None)
    message = _legal(case.worded, MESSAGE_CHARS)
    text = _legal(case.detail, TEXT_CHARS) or message
    if case.outcome is Outcome.FAIL:
        made.add_failure_info(message, text, case.klass or "FAIL")
    elif case.outcome is Outcome.SKIP:
        made.add_skipped_info(message, text)
    elif case.red:
        made.add_error_info(message, text, case.klass or case.outcome.name)
    return made


def _repair_suite(suite: ET.Element, found: Sequence[Case]) -> None:
    for name in NOT_IN_SCHEMA:
        suite.attrib.pop(name, None)
    suite.set("time", f"{sum(case.duration_s for case in found):.3f}")


def _enrich(element: ET.Element, case: Case, known: dict[str, str]) -> None:
    """File, line and properties; the properties come first, as consumers expect."""
    file, _, line = case.source.rpartition(":")
    if file:
        element.set("file", _legal(file))
        element.set("line", line)
    if known:
        properties = ET.Element("properties")
        for name, value in known.items():
            ET.SubElement(properties, "property", name=name, value=_legal(value, MESSAGE_CHARS))
        element.insert(0, properties)


def _suite_name(entries: Sequence[Entry]) -> str:
    properties = run_properties(entries)
    nodes = properties.get("nodes", "").replace(", ", "+")
    return " ".join(filter(None, ["hil", properties.get("tier", ""), nodes]))


def _began(entries: Sequence[Entry]) -> str:
    wall_s = next((e.wall_s for e in entries if isinstance(e.record, RunStarted)), 0.0)
    return datetime.fromtimestamp(int(wall_s), UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _legal(text: str, most: int = 0) -> str:
    """Text that XML can hold, illegal characters shown as #x1B, and not more than `most` of it."""
    if most and len(text) > most:
        text = f"{text[:most]}\n... and {len(text) - most:,} characters more in the journal"
    return ILLEGAL.sub(lambda found: f"#x{ord(found[0]):02X}", text)
