"""What roles and the harness said in words during an exchange: stderr and notes, as they came."""

from __future__ import annotations

from collections.abc import Sequence

from harness.evidence import Entry, Note, RoleExited
from harness.report.page.markup import Markup, el
from harness.verdict import counted

MOST_LINES = 300


def logs(entries: Sequence[Entry]) -> list[Markup]:
    """One block for each speaker, in the order in which they first spoke."""
    began_s = entries[0].at_s if entries else 0.0
    spoken: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        if isinstance(note := entry.record, Note):
            line = f"{entry.at_s - began_s:9.3f}  {note.text}"
            spoken.setdefault((note.node, note.role), []).append(line)
    tails = [
        _block(f"{r.role} on {r.node}: last words on stderr", r.stderr_tail.splitlines())
        for e in entries
        if isinstance(r := e.record, RoleExited)
        and r.stderr_tail
        and (r.node, r.role) not in spoken
    ]
    return [*(_block(_whose(*who), lines) for who, lines in spoken.items()), *tails]


def _whose(node: str, role: str) -> str:
    return " on ".join(filter(None, [role or ("node" if node else "controller"), node]))


def _block(whose: str, lines: list[str]) -> Markup:
    left_out = len(lines) - MOST_LINES
    shown = lines[-MOST_LINES:]
    if left_out > 0:
        shown = [f"{counted(left_out, 'line')} before these in the journal", *shown]
    return el(
        "details",
        el("summary", f"{whose}, {counted(len(lines), 'line')}"),
        el("pre", "\n".join(shown), class_="long", tabindex=0, role="group", aria_label=whose),
    )
