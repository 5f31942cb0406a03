"""`python -m harness watch [RUN]`: what a run does now: who runs what, how far and how fast each
exchange is, and what is silent.

It reads the run's journals while they grow and talks to nobody, so it may be started and ended at
any time. On a terminal the view is redrawn in place; elsewhere a line is written when an exchange
begins, when it ends and every few seconds between. It ends with the run, and so does its exit
status: 0 when the run is green.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from harness.evidence import read_run
from harness.live import Board, Scene, Terminal, Ticker, follow
from harness.report import newest_run, outcome, run_folder, run_lines
from harness.verdict import Outcome

SUMMARY = "what a run does now"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "named", metavar="RUN", nargs="?", help="a run's folder, or its id (default: the newest)"
    )
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="where runs are kept")


def run(args: argparse.Namespace) -> int:
    folder = run_folder(args.named, args.reports) if args.named else newest_run(args.reports)
    out = sys.stdout
    redraws = out.isatty() and os.environ.get("TERM") != "dumb"
    view = Board(Terminal(out.fileno())) if redraws else Ticker(_line)
    scene = follow(folder, view)
    entries = read_run(folder)
    if scene.exit_code is None:
        print(died(scene))
    print("\n".join(run_lines(entries, folder)))
    return 0 if outcome(entries) <= Outcome.PASS else 1


def died(scene: Scene) -> str:
    """What is known of a run that nobody writes any more."""
    ago_s = max(time.time() - scene.heard_s, 0.0)
    running = ", ".join(scene.tests) or "no test"
    return (
        f"run {scene.run or '?'} died: it has no end and nobody writes it; the last was a "
        f"{scene.last or 'nothing'}, {ago_s:.0f} s ago, while {running} ran"
    )


def _line(text: str) -> None:
    print(text, flush=True)
