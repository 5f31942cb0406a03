"""Reports: each a pure function of a run's journal and the verdicts in it."""

from harness.report.console import exchange_lines, run_lines
from harness.report.ending import outcome
from harness.report.junit import PROFILES, junit
from harness.report.kept import kept
from harness.report.place import newest_run, run_folder
from harness.report.summary import summary
from harness.report.write import replace_file, write

__all__ = [
    "PROFILES",
    "exchange_lines",
    "junit",
    "kept",
    "newest_run",
    "outcome",
    "replace_file",
    "run_folder",
    "run_lines",
    "summary",
    "write",
]
