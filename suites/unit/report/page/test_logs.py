"""Words of roles and nodes."""

from __future__ import annotations

from lxml import html

from harness.evidence import Note, RoleExited
from harness.report.page.logs import MOST_LINES, logs
from suites.unit.verdict.clean import added, changed, clean


def told(entries: list) -> dict[str, str]:
    blocks = [html.fromstring(block) for block in logs(entries)]
    return {block.findtext("summary"): block.findtext("pre") for block in blocks}


def test_each_speaker_has_a_block_with_the_time_of_each_line() -> None:
    entries = added(clean(), Note(text="hello", node="alpha", role="server"), 0.25)
    assert told(entries)["server on alpha, 1 line"] == "    0.250  hello"


def test_last_words_stand_where_nothing_else_was_heard() -> None:
    entries = changed(clean(), RoleExited, stderr_tail="one\ntwo")
    assert told(entries)["client on beta: last words on stderr, 2 lines"] == "one\ntwo"
    heard = added(entries, Note(text="one", node="beta", role="client"), 0.2)
    assert "client on beta: last words on stderr, 2 lines" not in told(heard)


def test_of_a_long_log_the_end_is_shown_and_the_rest_counted() -> None:
    entries = clean()
    for n in range(MOST_LINES + 5):
        entries = added(entries, Note(text=f"line {n}"), 0.2 + n / 1e4)
    (log,) = [text for name, text in told(entries).items() if name.startswith("controller")]
    assert log.startswith("5 lines before these in the journal")
    assert log.endswith(f"line {MOST_LINES + 4}")


def test_silence_is_no_block() -> None:
    assert logs([]) == []
