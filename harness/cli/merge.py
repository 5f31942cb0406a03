"""`python -m harness merge RUN RUN... --out FILE`: one JUnit file of several runs, such as a job's
shards.

A RUN is a run's folder, its id, or one of its journals; killed runs count too. Every test is there
once: of one that several runs had, the worst end counts, and what the others said is told with it.
Exit status 0: all green. On GitHub Actions it writes the step's summary and annotations too.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from harness.report import (
    PROFILES,
    case_lines,
    document,
    members_of,
    merged,
    near,
    publish,
    read_shards,
    replace_file,
    run_folder,
    verdict,
)
from harness.verdict import Outcome, counted

SUMMARY = "one JUnit file of several runs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("named", metavar="RUN", nargs="+", help="folders, ids or journals of runs")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the JUnit file")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="where runs are kept")
    parser.add_argument(
        "--junit-profile",
        choices=PROFILES,
        default="rich",
        help="strict is valid under Jenkins' schema",
    )


def run(args: argparse.Namespace) -> int:
    shards = read_shards(_place(named, args.reports) for named in args.named)
    found = merged(shards, os.environ)
    replace_file(args.out, document(found, profile=args.junit_profile))
    print(f"{counted(len(shards), 'run')}: {', '.join(shard.run for shard in shards)}")
    print("\n".join(case_lines([member.case for member in members_of(found)])))
    print(f"verdict: {verdict(found).name}")
    print(f"report: {near(args.out)}")
    publish(found, near(args.out), os.environ, print)
    return 0 if verdict(found) <= Outcome.PASS else 1


def _place(named: str, reports: Path) -> Path:
    """A journal as it is; anything else is a run."""
    file = Path(named)
    return file if file.is_file() else run_folder(named, reports)
