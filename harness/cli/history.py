"""Keeps what earlier nights measured, in one file.

`import` takes runs' folders, or folders of them, again and again without harm; of interrupted runs
it takes the exchanges that ended. `prune` forgets old runs and never a baseline's.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import HarnessError, HistoryError
from harness.evidence import read_run
from harness.history import Fingerprint, History, Kept, Run, differences
from harness.history.export import export, rows
from harness.history.fingerprint import told
from harness.history.retention import spare
from harness.regression.baseline import baseline_runs
from harness.regression.known import read, said_file
from harness.report import kept
from harness.verdict import counted

SUMMARY = "what earlier nights measured: import, list, export, prune"
DEFAULT = Path("reports/history.sqlite")
JOURNALS = "journal*.jsonl"
# What well-formed lines of a run that is none of ours end in.
FOREIGN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(dest="what", required=True, metavar="import|list|export|prune")
    take = what.add_parser("import", help="take runs' folders, or folders that hold such")
    take.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    what.add_parser("list", help="runs by testbed, and what differs between testbeds")
    out = what.add_parser("export", help="every sample as a row")
    out.add_argument("file", type=Path, metavar="FILE", help="a .csv or a .parquet")
    prune = what.add_parser("prune", help="forget runs that neither rule keeps")
    prune.add_argument("--keep-days", type=float, metavar="N", help="runs of the last N days")
    prune.add_argument("--keep-nights", type=int, metavar="N", help="each testbed's last N runs")
    for command in what.choices.values():
        command.add_argument(
            "--history", type=Path, default=DEFAULT, metavar="FILE", help="default %(default)s"
        )


def run(args: argparse.Namespace) -> int:
    history = History(args.history)
    if args.what == "import":
        return take(history, args.folders)
    if args.what == "list":
        return show(history)
    if args.what == "export":
        return write(history, args.file)
    return prune(history, args.keep_days, args.keep_nights)


# -- import ------------------------------------------------------------------------------------


def take(history: History, folders: Sequence[Path]) -> int:
    """A line a run; 1 when a run was left."""
    left = 0
    for folder in (run for named in folders for run in run_folders(named)):
        try:
            found = _kept(folder)
        except HarnessError as error:
            left += 1
            print(f"LEFT  {folder}: {error.klass}: {error}")
            continue
        history.add(found)
        print(f"taken {found.run}: {found.told()}")
    return int(left > 0)


def _kept(folder: Path) -> Run:
    try:
        return kept(read_run(folder))
    except FOREIGN as error:
        raise HistoryError(
            f"its journal says what no run says ({error!r})", expected="a journal of this project"
        ) from error


def run_folders(named: Path) -> list[Path]:
    """The folder itself, or the runs in it."""
    if any(named.glob(JOURNALS)):
        return [named]
    found = sorted({journal.parent for journal in named.glob(f"*/{JOURNALS}")})
    if not found:
        raise HistoryError(
            f"no journal in {named} nor in a folder of it", expected="a run's folder, or reports/"
        )
    return found


# -- list --------------------------------------------------------------------------------------


def show(history: History) -> int:
    """1 when there is nothing in it."""
    runs, testbeds = history.runs(), history.testbeds()
    if not runs:
        print(f"the history in {history.path} is empty")
        return 1
    print("\n".join(listed(runs, testbeds)))
    return 0


def listed(runs: Sequence[Kept], testbeds: dict[str, Fingerprint]) -> Iterator[str]:
    """Testbeds in the order of their first runs, each with what it differs in from the one that
    the same nodes were before."""
    before: dict[tuple[str, ...], Fingerprint] = {}
    for name in dict.fromkeys(one.fingerprint for one in runs):
        found = testbeds[name]
        nodes = ", ".join(found.nodes) or "no nodes"
        yield f"testbed {name}: {nodes}, tier {found.topology['tier']}"
        if earlier := before.get(found.nodes):
            yield from (f"  differs: {line}" for line in told(differences(earlier, found)))
        before[found.nodes] = found
        yield from (f"  {_line(one)}" for one in runs if one.fingerprint == name)


def _line(one: Kept) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(one.at_s))
    out, under_test = sum(one.excluded.values()), one.revision.get("revision", "")
    parts = [counted(one.taken, "exchange"), f"{out} excluded" if out else "", under_test]
    parts += ["" if one.ended else "no end"]
    return f"{when}  {one.run}  {one.outcome:<12}  {', '.join(filter(None, parts))}"


# -- export, prune -----------------------------------------------------------------------------


def write(history: History, file: Path) -> int:
    """1 when there is nothing to write: then no file is made."""
    series = history.series()
    if not series:
        print(f"the history in {history.path} has no samples; {file} was not written")
        return 1
    plans = {plan: json.dumps(body) for plan, body in history.plans().items()}
    print(f"{export(file, rows(series, plans)):,} samples of {len(series)} series in {file}")
    return 0


def prune(history: History, keep_days: float | None, keep_nights: int | None) -> int:
    if keep_days is None and keep_nights is None:
        raise HistoryError("no rule says what to keep", fix="Give --keep-days or --keep-nights")
    runs, now_s = history.runs(), time.time()
    baseline = baseline_runs(history.series(), read(said_file(history.path)), now_s)
    gone = spare(runs, now_s=now_s, baseline=baseline, keep_days=keep_days, keep_nights=keep_nights)
    if gone:
        history.remove([one.run for one in gone])
    print(f"{counted(len(gone), 'run')} forgotten, {len(runs) - len(gone)} kept")
    return 0
