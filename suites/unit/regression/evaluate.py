"""How much of what is planted is found: the table of docs/regression.md.

    python suites/unit/regression/evaluate.py --seed 1 --times 100 [--otava PATH]

The seed says on which nights changes are planted, and how nights are shuffled or dealt. With the
path of an `otava` program, that is asked about the same figures.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from harness.history import Series
from harness.regression import beside, changes, gate
from harness.regression.night import level
from suites.unit.regression.planted import (
    DRIFTING,
    DRIFTING_BY_NAME,
    KINDS,
    NIC,
    ORDERS,
    SOON,
    STEPS,
    WIDER,
    WITHIN,
    Planted,
    measured,
    places,
    wider,
)

SUBJECTS = ("4 channels", "eth2")
CONFIG = """tests:
  planted:
    type: csv
    file: {file}
    time_column: time
    metrics: [{metrics}]
"""
YEAR = 1_700_000_000  # any day will do
PLANTED = (*STEPS, DRIFTING, DRIFTING_BY_NAME, WIDER, wider(2, 3 * SOON), wider(4, SOON))
ORDERED = 200  # times, in which nothing was planted
FIRST_GATED = 21  # the first night that has twenty before it


@dataclass(frozen=True, slots=True)
class Trial:
    """One planted change: the series that has it, and that NIC beside its siblings."""

    planted: Planted
    at: int
    own: Series
    share: Series | None

    def ours(self) -> bool:
        return any(self.planted.found(change, self.at) for change in changes(self.own))

    def with_siblings(self) -> bool:
        more = changes(self.share) if self.share else ()
        return self.ours() or any(self.planted.found(change, self.at) for change in more)


def trials(
    kind: str, subject: str, planted: Planted, *, times: int, seed: int, order: str
) -> Iterator[Trial]:
    nights = measured(kind)
    for number, at in enumerate(places(planted, len(nights[0].nights), times, seed)):
        series = ORDERS[order](nights, seed + number)
        made = [planted.into(one, at) if one.key.subject == subject else one for one in series]
        own = next(one for one in made if one.key.subject == subject)
        among = beside(made) if subject.startswith(NIC) else []
        shares = [one for one in among if one.key.subject == subject]
        yield Trial(planted, at, own, shares[0] if shares else None)


# -- otava -------------------------------------------------------------------------------------


def asked(otava: str, rows: Sequence[Series]) -> list[list[int]]:
    """The nights that otava names, of each series; all of one length, as columns of one file."""
    names = [f"m{number}" for number in range(len(rows))]
    with tempfile.TemporaryDirectory() as folder:
        table, config = Path(folder, "nights.csv"), Path(folder, "otava.yaml")
        with table.open("w", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["time", *names])
            for night in range(len(rows[0].nights)):
                when = datetime.fromtimestamp(YEAR + 86_400 * night, UTC).isoformat()
                levels = [level(one.nights[night], one) for one in rows]
                writer.writerow([when, *levels])
        config.write_text(CONFIG.format(file=table, metrics=", ".join(names)))
        command = [otava, "analyze", "planted", "--config-file", str(config), "--output", "json"]
        said = subprocess.run(
            [*command, "--since", "2023-01-01"], capture_output=True, text=True, check=True
        )
    groups = json.loads(said.stdout[said.stdout.index("{") :])["planted"]
    named = [(int(g["time"]), change["metric"]) for g in groups for change in g["changes"]]
    return [[(s - YEAR) // 86_400 for s, metric in named if metric == name] for name in names]


# -- the table ---------------------------------------------------------------------------------


def found_rows(args: argparse.Namespace, order: str) -> Iterator[str]:
    yield f"| line | planted | on | alone | with siblings |{' otava |' if args.otava else ''}"
    yield "|---|---|---|---|---|" + ("---|" if args.otava else "")
    for kind in KINDS:
        for planted in PLANTED:
            for subject in SUBJECTS:
                made = list(
                    trials(kind, subject, planted, times=args.times, seed=args.seed, order=order)
                )
                yield _row(kind, planted, subject, made, args.otava)


def _row(kind: str, planted: Planted, subject: str, made: Sequence[Trial], otava: str) -> str:
    cells = [kind, planted.name, subject, _share([one.ours() for one in made])]
    cells.append(_share([one.with_siblings() for one in made]) if made[0].share else "-")
    if otava and planted in STEPS:
        nights = asked(otava, [one.own for one in made])
        dated = [
            any(abs(night - one.at) <= WITHIN for night in said)
            for one, said in zip(made, nights, strict=True)
        ]
        cells.append(_share(dated))
    elif otava:
        cells.append("has no such kind")
    return f"| {' | '.join(cells)} |"


def _share(found: Sequence[bool]) -> str:
    return f"{sum(found) / len(found):.0%}"


def alarms(args: argparse.Namespace) -> Iterator[str]:
    """Of nights in which nothing was planted."""
    for kind in KINDS:
        nights = measured(kind)
        plain = [*nights, *beside(nights)]
        yield f"{kind}, as measured: {_alarms(plain, args.otava)}; gate {_gated(nights)}"
        for order in ("shuffled", "dealt"):
            mixed = [ORDERS[order](nights, args.seed + number) for number in range(ORDERED)]
            every = [one for each in mixed for one in (*each, *beside(each))]
            gated = [_last(each) for each in mixed]
            yield f"{kind}, {order}: {_alarms(every, args.otava)}; gate {_counted(gated)}"


def _alarms(series: Sequence[Series], otava: str) -> str:
    said = f"change points in {sum(bool(changes(one)) for one in series)} of {len(series)} series"
    if otava:
        said += f", otava in {sum(map(bool, asked(otava, series)))}"
    return said


def _gated(nights: Sequence[Series]) -> str:
    """Every night beside those before it."""
    rolled = [
        _last([replace(one, nights=one.nights[: night + 1]) for one in nights])
        for night in range(FIRST_GATED, len(nights[0].nights))
    ]
    return _counted(rolled)


def _counted(nights: Sequence[Counter[str]]) -> str:
    """`0 red, 2 suspect of 351`."""
    total = sum(nights, Counter())
    return f"{total['REGRESSION']} red, {total['SUSPECT']} suspect of {total.total()}"


def _last(nights: Sequence[Series]) -> Counter[str]:
    """What the last night's comparisons with those before it say."""
    tonight = [replace(one, nights=one.nights[-1:]) for one in nights]
    found = gate(tonight, [replace(one, nights=one.nights[:-1]) for one in nights])
    return Counter(one.klass for one in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--times", type=int, default=100, help="each change is planted so often")
    parser.add_argument("--otava", default="", metavar="PATH")
    args = parser.parse_args()
    for order in ORDERS:
        print(f"\nNights {order}:\n")
        for row in found_rows(args, order):
            print(row, flush=True)
    print("\nNothing planted:\n")
    for line in alarms(args):
        print(f"- {line}", flush=True)


if __name__ == "__main__":
    main()
