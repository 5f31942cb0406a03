"""Writes the history as one page: what changed, since which night, and what came in between.

Of series that say how a NIC did beside its siblings, those that changed are shown too.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.history import DEFAULT
from harness.history import History
from harness.regression import beside, changes
from harness.report import replace_file
from harness.report.trend import past, trend

SUMMARY = "the history as a page: what changed, and since which night"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--history", type=Path, default=DEFAULT, metavar="FILE", help="default %(default)s")
    add("--out", type=Path, metavar="FILE", help="default trend.html beside the history")


def run(args: argparse.Namespace) -> int:
    """1 when there is nothing to show: then no page is made."""
    found = past(History(args.history), changes, beside)
    if not found.series:
        print(f"the history in {args.history} has no samples; no page was written")
        return 1
    file = args.out or args.history.with_name("trend.html")
    replace_file(file, trend(found))
    print(f"{len(found.moved)} changes in {len(found.series)} series: {file}")
    return 0
