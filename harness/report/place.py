"""Which folder people mean when they name a run, or none."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ReportError

RECENT = 5


def run_folder(named: str, reports: Path) -> Path:
    """The folder that `named` means, as a path or as an id."""
    for folder in (Path(named), reports / named):
        if any(folder.glob("journal*.jsonl")):
            return folder
    known = sorted(path.parent.name for path in reports.glob("*/journal.jsonl"))
    raise ReportError(
        f"no journal in {named} nor in {reports / named}",
        expected=f"a run's folder or one of the latest runs {known[-RECENT:]}",
        fix="Name the reports' folder with --reports",
    )


def newest_run(reports: Path) -> Path:
    """The run that was last written to."""
    journals = [(file.stat().st_mtime, file) for file in reports.glob("*/journal*.jsonl")]
    if not journals:
        raise ReportError(
            f"no run in {reports}",
            expected="a run's folder with its journal",
            fix="Start one with pytest, or name the reports' folder with --reports",
        )
    return max(journals)[1].parent
