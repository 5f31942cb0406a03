"""Makes nights.csv: nights of real exchanges on the embedded testbed (needs root).

A night is visited so many times. A visit is a testbed brought up anew for each kind of line,
connected anew, and so many exchanges on it, so that what differs between nights is really there;
all nights are visited once before any is visited again. It is resumable: every call adds visits
until `--seconds` are over or every night has had all of its own.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from pathlib import Path

from harness.bench.bed import Bed
from harness.bench.case import Case
from harness.evidence import Entry, Journal
from harness.history.exclusion import exclusion
from harness.plan import MIB, Plan
from harness.report.exchanges import exchanges

HEADER = ("visit", "night", "at_s", "kind", "subject", "excluded", "gb_s")
# Short: 0.3 s of traffic at 1 Gbit/s a NIC, and less at what two cores can copy.
KINDS = {
    "shaped": (Case(1.0, 9000), Plan(size_bytes=32 * MIB, iterations=4)),
    "unshaped": (Case(0.0, 9000), Plan(size_bytes=64 * MIB, iterations=10)),
}
VISITS, EXCHANGES = 2, 24


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("nights.csv"))
    parser.add_argument("--nights", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=170.0)
    args = parser.parse_args()
    until, longest_s = time.monotonic() + args.seconds, 0.0
    for number in range(done(args.out), VISITS * args.nights):
        began = time.monotonic()
        if began + longest_s > until:
            break
        visit, night = divmod(number, args.nights)
        rows = [(visit, *row) for kind in KINDS for row in measured(night, kind)]
        with args.out.open("a", newline="") as file:
            csv.writer(file).writerows(rows)
        longest_s = max(longest_s, time.monotonic() - began)
        print(f"visit {visit}, night {night}: {time.monotonic() - began:.1f} s", flush=True)


def done(out: Path) -> int:
    """How many visits the file has; a new file gets its header."""
    if not out.exists():
        out.write_text(",".join(HEADER) + "\n")
    with out.open(newline="") as file:
        return len({(row["visit"], row["night"]) for row in csv.DictReader(file)})


def measured(night: int, kind: str) -> list[tuple[object, ...]]:
    """One kind's rows of a visit: the whole and each NIC, the figures of one row in their order."""
    case, plan = KINDS[kind]
    at_s = round(time.time())
    figures: dict[str, list[float]] = {}
    excluded = 0
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder), f"night-{night}")
        with Bed(case, journal, idle_s=0.0) as bed:
            bed.exchange(plan)  # connects, provisions, starts the observers: no sample
            for _ in range(EXCHANGES):
                found = told(bed.exchange(plan))
                excluded += found is None
                for subject, gb_s in (found or {}).items():
                    figures.setdefault(subject, []).append(gb_s)
        journal.close()
    return [
        (night, at_s, kind, subject, excluded, " ".join(f"{value:.5g}" for value in values))
        for subject, values in figures.items()
    ]


def told(entries: list[Entry]) -> dict[str, float] | None:
    """What an exchange gave; None when it must not count."""
    (one,) = exchanges(entries)
    if exclusion(one.seen, one.judged):
        return None
    nics = {channel.nics["server"]: channel.gb_s for channel in one.channels}
    return {f"{len(nics)} channels": one.seen.gb_s, **nics}


if __name__ == "__main__":
    main()
