"""junit.xml, written by junit-xml through this one adapter, in two profiles.

`rich` (the default) adds what consumers like and Jenkins' schema refuses: properties, file and line
of each case. `strict` is the same without these and is valid under junit-10.xsd. Class and name of
a case are the ones that pytest's own file uses, so that the two files can be compared case by case.
Both tell of a test's other tries in surefire's elements: flakyFailure and flakyError of a case that
is green, rerunFailure and rerunError of one that is red.

junit-xml knows neither properties of a case nor tries nor the schema's attributes and number
format: the element that it builds is repaired here. Nothing depends on the time of writing.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import junit_xml

from harness.errors import ReportError
from harness.evidence import Entry
from harness.report import attachment
from harness.report.case import Case
from harness.report.console import told_lines
from harness.report.properties import case_properties
from harness.report.suite import Attach, Member, Suite, members_of, no_files, suites
from harness.verdict import Outcome

PROFILES = ("rich", "strict")
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
MESSAGE_CHARS = 1_000
TEXT_CHARS = 100_000  # Jenkins keeps no more of a failed case
NOT_IN_SCHEMA = ("disabled", "assertions")
SUMS = ("tests", "failures", "errors")
# What XML allows, less DEL, as pytest has it: the names in both files must be equal.
ILLEGAL = re.compile("[^\t\n\r\x20-\x7e\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(entries: Sequence[Entry], *, profile: str = "rich", attach: Attach = no_files) -> str:
    """One run's document; the same entries give the same bytes."""
    return document(suites(entries, attach), profile=profile)


def document(found: Sequence[Suite], *, profile: str = "rich") -> str:
    """The whole document of these suites, in which no two cases have one name."""
    if profile not in PROFILES:
        raise ReportError(f"unknown JUnit profile {profile!r}", expected=f"one of {PROFILES}")
    names: Counter[tuple[str, str]] = Counter()
    elements = [_suite(suite, names, rich=profile == "rich") for suite in found]
    sums = {name: str(sum(int(e.get(name, "0")) for e in elements)) for name in SUMS}
    title = " | ".join(suite.name for suite in found)
    root = ET.Element("testsuites", {"name": title, "time": _time(members_of(found)), **sums})
    root.extend(elements)
    for element in root.iter():  # nodes, classes and tests are named by others, and told anywhere
        element.attrib.update({name: _legal(value) for name, value in element.items()})
    ET.indent(root)
    return DECLARATION + ET.tostring(root, encoding="unicode") + "\n"


def _suite(suite: Suite, names: Counter[tuple[str, str]], *, rich: bool) -> ET.Element:
    made: ET.Element = junit_xml.TestSuite(
        suite.name,
        [_test_case(member, names) for member in suite.members],
        timestamp=datetime.fromtimestamp(int(suite.began_s), UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        properties={name: _legal(value) for name, value in suite.properties.items()},
    ).build_xml_doc()
    for name in NOT_IN_SCHEMA:
        made.attrib.pop(name, None)
    made.set("time", _time(suite.members))
    for member, element in zip(suite.members, made.iter("testcase"), strict=True):
        element.set("time", _time([member]))
        _add_tries(element, member.case)
        if rich:
            _enrich(element, member.case, case_properties(member.told, member.judged))
    return made


def address(test: str) -> tuple[str, str]:
    """Class and name of a pytest node id, as pytest's own JUnit file has them."""
    path, _, tail = test.partition("::")
    names, bracket, parameters = tail.partition("[")
    parts = [re.sub(r"\.py$", "", path.replace("/", ".")), *filter(None, names.split("::"))]
    parts[-1] += bracket + parameters
    return _legal(".".join(parts[:-1])), _legal(parts[-1])


def _test_case(member: Member, names: Counter[tuple[str, str]]) -> junit_xml.TestCase:
    case = member.case
    classname, name = address(case.test)
    names[classname, name] += 1
    if (number := names[classname, name]) > 1:  # two paths may be one to JUnit, GitLab drops one
        name = f"{name} #{number}"
    made = junit_xml.TestCase(name, classname, stdout=_legal(_spoken(member), TEXT_CHARS) or None)
    message = _legal(case.worded, MESSAGE_CHARS)
    text = _legal(case.detail, TEXT_CHARS) or message
    if case.outcome is Outcome.FAIL:
        made.add_failure_info(message, text, case.klass or "FAIL")
    elif case.outcome is Outcome.SKIP:
        made.add_skipped_info(message, text)
    elif case.red:
        made.add_error_info(message, text, case.klass or case.outcome.name)
    return made


def _spoken(member: Member) -> str:
    """What a case prints; first what must not be cut off."""
    tries = sorted([member.case, *member.case.others], key=lambda case: case.attempt)
    ends = [f"try {n}: {c.outcome.name} {c.message}".rstrip() for n, c in enumerate(tries, 1)]
    said = [*(ends if len(ends) > 1 else []), *member.notes, *told_lines(member.told)]
    return "\n".join(
        [*map(attachment.line, member.attached), *map(attachment.spoken, said)],
    )


def _add_tries(element: ET.Element, case: Case) -> None:
    """The red ones among its other tries, in their order."""
    kind = "rerun" if case.red else "flaky"
    for other in (one for one in case.others if one.red):
        word = "Failure" if other.outcome is Outcome.FAIL else "Error"
        told = {
            "message": _legal(other.worded, MESSAGE_CHARS),
            "type": other.klass or other.outcome.name,
        }
        tried = ET.SubElement(element, f"{kind}{word}", told)
        ET.SubElement(tried, "stackTrace").text = _legal(other.detail or other.worded, TEXT_CHARS)


def _time(members: Sequence[Member]) -> str:
    return f"{sum(member.case.duration_s for member in members):.3f}"


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


def _legal(text: str, most: int = 0) -> str:
    """Text that XML can hold, illegal characters shown as #x1B, and not more than `most` of it."""
    if most and len(text) > most:
        text = f"{text[:most]}\n... and {len(text) - most:,} characters more in the journal"
    return ILLEGAL.sub(lambda found: f"#x{ord(found[0]):02X}", text)
