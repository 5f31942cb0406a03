"""`python -m harness report RUN`: make a run's reports again from its journal."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from harness.report import (
    PROFILES,
    attach,
    junit,
    outcome,
    replace_file,
    run_folder,
    run_lines,
    write,
)
from harness.verdict import Outcome

SUMMARY = "make the reports of a run again from its journal"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("named", metavar="RUN", help="a run's folder, or its id under --reports")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="where runs are kept")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write the JUnit file here too")
    parser.add_argument(
        "--junit-profile",
        choices=PROFILES,
        default="rich",
        help="strict is valid under Jenkins' schema; with --junit, of that file alone",
    )


def run(args: argparse.Namespace) -> int:
    folder = run_folder(args.named, args.reports)
    if args.junit is None:
        entries = write(folder, profile=args.junit_profile)
    else:
        entries = write(folder)
        files = attach(folder, os.environ)
        replace_file(args.junit, junit(entries, profile=args.junit_profile, attach=files))
    print("\n".join(run_lines(entries, folder)))
    return 0 if outcome(entries) <= Outcome.PASS else 1
