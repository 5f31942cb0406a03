"""What GitHub Actions shows of a run: a step summary in Markdown, and annotations.

Both have limits, and what is beyond them is dropped by GitHub without a word: a step's summary may
have 1 MiB, and a step ten annotations of a kind. So both are cut here, and say so. Workflow
commands are lines of standard output; data in them is escaped as the runner's toolkit does it, and
what nodes said cannot end a line or a table's cell.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.evidence import Judged
from harness.report.console import largest_lines, totals
from harness.report.suite import Member, Suite, members_of, verdict
from harness.verdict import Outcome, headline

SUMMARY_BYTES = 1 << 20
ANNOTATIONS = 10
CELL_CHARS = 500
MESSAGE_CHARS = 4_000
HEAD = "| outcome | test | class | node/NIC | what | next |\n|---|---|---|---|---|---|\n"
DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
PROPERTY = {**DATA, ":": "%3A", ",": "%2C"}


def publish(
    found: Sequence[Suite], place: str, environ: Mapping[str, str], say: Callable[[str], None]
) -> None:
    """On GitHub: the annotations to `say`, the summary to the step's file. Elsewhere nothing."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return
    for line in errors(found):
        say(line)
    if file := environ.get("GITHUB_STEP_SUMMARY"):
        try:
            _append(Path(file), found, place)
        except OSError as error:  # the run's verdict does not depend on it
            say(command("warning", f"cannot write the summary {file}: {error.strerror}"))


def errors(found: Sequence[Suite]) -> list[str]:
    """An error a red case, as many as a step may have; the last stands for those that are left."""
    red = [member for member in members_of(found) if member.case.red]
    shown = red if len(red) <= ANNOTATIONS else red[: ANNOTATIONS - 1]
    lines = [_annotation(member) for member in shown]
    if left := len(red) - len(shown):
        lines.append(command("error", f"and {left} more red tests, in the step's summary"))
    return lines


def command(name: str, message: str, **properties: str) -> str:
    """A workflow command; properties that are empty are left out."""
    given = ",".join(f"{k}={_escaped(v, PROPERTY)}" for k, v in properties.items() if v)
    return f"::{name}{' ' if given else ''}{given}::{_escaped(message, DATA)}"


def step_summary(found: Sequence[Suite], place: str, most_bytes: int = SUMMARY_BYTES) -> str:
    """Verdict, totals, what is red and flaky, the largest exchange and where the report is."""
    members = members_of(found)
    red = [member for member in members if member.case.red]
    flaky = [member.case for member in members if member.case.flaky]
    told = [one for member in members for one in member.told]
    names = ", ".join(_text(suite.name) for suite in found)
    head = f"## {verdict(found).name}: {names}\n\n{totals([m.case for m in members])}\n\n"
    foot = "".join(
        [
            _block("Flaky", [f"{c.test}: {o.worded}" for c in flaky for o in c.others if o.red]),
            _block("", largest_lines(told)),
            f"Report: `{place.replace('`', '')}`\n\n",
        ]
    )
    room = most_bytes - len((head + HEAD + foot).encode(errors="backslashreplace")) - 1
    table = HEAD + _rows(red, room) + "\n" if red else ""
    return _fitting([head, table, foot], most_bytes)


def _fitting(parts: Sequence[str], most_bytes: int) -> str:
    """The first parts, as many as there is room for."""
    text = ""
    for part in parts:
        if len((text + part).encode(errors="backslashreplace")) <= most_bytes:
            text += part
    return text


def _next_step(member: Member) -> str:
    """Of the verdict that made it red; where none did, what the case itself says."""
    judged = cause_of(member)
    return judged.next_step if judged else member.case.next_step


def _annotation(member: Member) -> str:
    case = member.case
    file, _, line = case.source.rpartition(":")
    number = str(int(line) + 1) if line.isdigit() else ""  # pytest counts lines from 0
    step = _next_step(member)
    after = f"\nnext: {step}" if step else ""
    text = f"{case.worded}{after}"[:MESSAGE_CHARS]
    title = f"{case.klass or case.outcome.name} {case.test.partition('::')[2] or case.test}"
    return command("error", text, file=file, line=number if file else "", title=title)


def cause_of(member: Member) -> Judged | None:
    """The claim's verdict that made the case red; none when no verdict did."""
    red = [one for one in member.judged if Outcome[one.outcome] > Outcome.PASS]
    said = [one for one in red if headline(one) == member.case.message]
    return next(iter(said), None)


def _rows(red: Sequence[Member], room: int) -> str:
    """As many rows as there is room for, and how many there was none for."""
    room -= len(_more(len(red)).encode())
    rows: list[str] = []
    for member in red:
        row = _row(member)
        room -= len(row.encode(errors="backslashreplace"))
        if room < 0:
            break
        rows.append(row)
    left = len(red) - len(rows)
    return "".join(rows) + (_more(left) if left else "")


def _more(left: int) -> str:
    return f"| | and {left} more in the report | | | | |\n"


def _row(member: Member) -> str:
    case, judged = member.case, cause_of(member)
    where = "/".join(filter(None, [judged.node, judged.nic])) if judged else ""
    what = judged.fact if judged else case.message
    cells = [case.outcome.name, case.test, case.klass, where, what, _next_step(member)]
    return f"| {' | '.join(_text(cell[:CELL_CHARS]) for cell in cells)} |\n"


def _block(title: str, lines: Sequence[str]) -> str:
    """Lines as they are, in a fence that nothing in them can close."""
    if not lines:
        return ""
    body = "\n".join(line.replace("`", "'").replace("\r", " ")[:CELL_CHARS] for line in lines[:50])
    return f"{f'### {title}' if title else ''}\n\n```text\n{body}\n```\n\n"


def _text(text: str) -> str:
    """Words in a table's cell: no Markdown, no HTML, one line."""
    flat = " ".join(text.split())
    for char in "\\`*_[]|~":
        flat = flat.replace(char, f"\\{char}")
    return html.escape(flat, quote=False)


def _escaped(text: str, table: Mapping[str, str]) -> str:
    return "".join(table.get(char, char) for char in text)


def _append(file: Path, found: Sequence[Suite], place: str) -> None:
    """What other commands of the step wrote there counts too."""
    there = file.stat().st_size if file.exists() else 0
    with file.open("a", encoding="utf-8", errors="backslashreplace") as summary:
        summary.write(step_summary(found, place, SUMMARY_BYTES - there))
