"""What tonight is compared with, and what people say of it.

`show` lists every series' good nights and what was said so far. `acknowledge` says that a change is
known: nights before the run are no baseline any more. `adopt` says that nights of another testbed
(its kernel changed, say), or old ones, may be compared with. Both want a reason, and are kept
beside the history.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.cli.history import DEFAULT
from harness.errors import HistoryError
from harness.history import History, Kept, Series
from harness.regression import Acknowledged, Adopted, Known, beside, told
from harness.regression.baseline import of_next_night
from harness.regression.known import read, said_file, say
from harness.regression.odds import noise
from harness.regression.rules import RULES
from harness.verdict import counted

SUMMARY = "what tonight is compared with: show, acknowledge, adopt"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(dest="what", required=True, metavar="show|acknowledge|adopt")
    what.add_parser("show", help="every series' good nights, and what was said")
    known = what.add_parser("acknowledge", help="from this run on, it is as it is")
    known.add_argument("named", metavar="RUN", help="the first run of the new level")
    known.add_argument("--subject", default="*", help="a pattern, such as 'eth*' (default: all)")
    known.add_argument("--metric", default="*", help="a pattern (default: all)")
    adopt = what.add_parser("adopt", help="compare with a testbed's nights from now on")
    adopt.add_argument("named", metavar="TESTBED", help="whose nights; see history list")
    adopt.add_argument("--testbed", default="", help="for which (default: the latest run's)")
    for command in (known, adopt):
        command.add_argument("--reason", required=True)
    for command in what.choices.values():
        command.add_argument(
            "--history", type=Path, default=DEFAULT, metavar="FILE", help="default %(default)s"
        )


def run(args: argparse.Namespace) -> int:
    history = History(args.history)
    runs = history.runs()
    if not runs:
        raise HistoryError("the history is empty", where=str(args.history))
    if args.what == "show":
        print("\n".join(shown(history, read(said_file(history.path)), runs, time.time())))
    elif args.what == "acknowledge":
        acknowledge(history, runs, args)
    else:
        adopt(history, runs, args)
    return 0


def acknowledge(history: History, runs: Sequence[Kept], args: argparse.Namespace) -> None:
    found = [one for one in runs if one.run == args.named]
    if not found:
        raise HistoryError(
            f"the history has no run {args.named}", fix="See python -m harness history list"
        )
    one = Acknowledged(
        run=args.named,
        at_s=found[0].at_s,
        subject=args.subject,
        metric=args.metric,
        reason=args.reason,
    )
    series = history.series()
    covered = sum(one.covers(known.key) for known in (*series, *beside(series)))
    if not covered:
        raise HistoryError(f"no series is {args.metric} of {args.subject}", fix="See baseline show")
    say(said_file(history.path), one)
    print(f"acknowledged: {covered} series have no baseline from before run {one.run}")


def adopt(history: History, runs: Sequence[Kept], args: argparse.Namespace) -> None:
    target = _testbed(runs, args.testbed) if args.testbed else runs[-1].fingerprint
    source = _testbed(runs, args.named)
    nights = min(sum(one.fingerprint == source for one in runs), RULES.nights_max)
    said = Adopted(source=source, target=target, at_s=time.time(), reason=args.reason)
    say(said_file(history.path), said)
    print(f"adopted: the last {counted(nights, 'night')} of {source} count for {target}")


def _testbed(runs: Sequence[Kept], named: str) -> str:
    """The fingerprint that `named` begins, or is."""
    found = sorted({one.fingerprint for one in runs if one.fingerprint.startswith(named)})
    if len(found) != 1:
        raise HistoryError(
            f"{len(found)} testbeds are called {named!r}",
            fix="See python -m harness history list",
        )
    return found[0]


def shown(history: History, known: Known, runs: Sequence[Kept], now_s: float) -> Iterator[str]:
    """The latest run's testbed, a line a series; then what was said."""
    series = history.series()
    every = [*series, *beside(series)]
    ours = [one for one in every if one.key.fingerprint == runs[-1].fingerprint]
    yield f"testbed {runs[-1].fingerprint}, {len(ours)} series"
    for one in ours:
        yield f"  {_line(one, every, known, now_s)}"
    yield from (f"said: {one}" for one in known.told())


def _line(one: Series, every: Sequence[Series], known: Known, now_s: float) -> str:
    found = of_next_night(one, every, known, now_s)
    name = f"{one.key.plan[:8]} {one.key.subject} {one.key.metric}"
    if found.problem:
        return f"{name}: {found.problem}. {found.fix}"
    since = "".join(f"; {told(change)}" for change in found.since)
    differ = f"which differ by up to {noise(found.levels):.1%}"
    return f"{name}: {len(found.nights)} good nights, {differ}{since}"
