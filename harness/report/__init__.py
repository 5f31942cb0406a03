"""Reports: each a pure function of a run's journal and the verdicts in it."""

from harness.report.attachment import attach
from harness.report.console import case_lines, exchange_lines, near, run_lines
from harness.report.ending import outcome
from harness.report.github import publish
from harness.report.junit import PROFILES, document, junit
from harness.report.kept import kept
from harness.report.merge import merged, read_shards
from harness.report.place import newest_run, run_folder
from harness.report.suite import members_of, suites, verdict
from harness.report.summary import summary
from harness.report.write import replace_file, write

__all__ = [
    "PROFILES",
    "attach",
    "case_lines",
    "document",
    "exchange_lines",
    "junit",
    "kept",
    "members_of",
    "merged",
    "near",
    "newest_run",
    "outcome",
    "publish",
    "read_shards",
    "replace_file",
    "run_folder",
    "run_lines",
    "suites",
    "summary",
    "verdict",
    "write",
]
