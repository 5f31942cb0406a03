"""What a GPU does to pages that have arrived, against copies of as many bytes in the same run.

Measured in a process of its own (drivers/gpu.py), since a kernel that crashes takes its process's
use of CUDA along; what it had measured by then stays.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from harness.bench.figures import Spread
from harness.bench.ratios import Ratio, missed
from harness.errors import PeerError

MODULE = "harness.bench.drivers.gpu"
END_S = 540.0
LEAST_ROUNDS = 20


OURS, VERIFIED = "ours", "ours-verify"
COPIES = ("copy", "copy-graph")
# case, who, against whom, threshold. The best of several stands for them.
AGAINST = (
    ("1GiB", OURS, "copy", 0.95),
    ("1GiB", OURS, "stream", 1.0),
    ("1GiB", VERIFIED, "copy", 0.90),
    ("64MiB-batched", OURS, "copy", 0.90),
)
SMALL = ("512KiB", OURS, 420.0)  # GB/s


@dataclass(slots=True)
class GpuSheet:
    """All that one run measured: GB/s by round, by case and contender."""

    machine: dict[str, Any] = field(default_factory=dict)
    taken: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    launches: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """One line of the driver."""
        try:
            body = json.loads(line)
            self._add(body)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PeerError(f"it printed {line[-200:]!r}, which is no figure", where=MODULE) from (
                error
            )

    def _add(self, body: Mapping[str, Any]) -> None:
        if "machine" in body:
            self.machine = dict(body["machine"])
        elif "error" in body:
            self.errors.append(f"{body['case']} {body['peer']}: {body['error']}")
        else:
            values = [float(value) for value in body["gb_s"]]
            if not values or min(values) <= 0:
                raise ValueError("no rate")
            self.taken[body["case"], body["peer"]] = values
            self.launches[body["case"]] = int(body["launches"])

    def best(self, case: str, names: str) -> list[float] | None:
        """The values of the best contender whose name begins so, by the median."""
        found = [v for (c, peer), v in self.taken.items() if c == case and peer.startswith(names)]
        return max(found, key=statistics.median, default=None)

    def ratios(self) -> list[Ratio]:
        """Every promise; what was not measured does not hold."""
        found = [
            Ratio(name=f"{case}/{who}-to-{whom}", value=self._ratio(case, who, whom), threshold=at)
            for case, who, whom, at in AGAINST
        ]
        case, who, threshold = SMALL
        values = self.taken.get((case, who))
        speed = statistics.median(values) if values else None
        return [*found, Ratio(name=f"{case}/{who}-gb-s", value=speed, threshold=threshold)]

    def _ratio(self, case: str, who: str, whom: str) -> float | None:
        """The median over the rounds of the ratio within a round."""
        above, below = self.taken.get((case, who)), self.best(case, whom)
        if not above or not below:
            return None
        return statistics.median(a / b for a, b in zip(above, below, strict=True))

    def problems(self) -> list[str]:
        """Why `--require` is not met, a line each."""
        return [*self.errors, *missed(self.ratios())]

    def to_json(self) -> str:
        rows = [
            {
                "case": case,
                "peer": peer,
                "launches": self.launches[case],
                "gb_s": _spread(values).to_json(),
                "rounds": len(values),
            }
            for (case, peer), values in self.taken.items()
        ]
        body = {
            "machine": self.machine,
            "rows": rows,
            "ratios": [ratio.to_json() for ratio in self.ratios()],
            "errors": self.errors,
        }
        return json.dumps(body, indent=1) + "\n"

    def table(self) -> list[str]:
        """A contender a line, GB/s and its share of the case's best copy."""
        lines = [f"{'launch of':14} {'by':26} {'GB/s min/median/max':>23}  of copy"]
        for (case, peer), values in self.taken.items():
            copy = self.best(case, "copy")
            share = statistics.median(values) / statistics.median(copy) if copy else 0.0
            value = _spread(values)
            spread = f"{value.least:.0f}/{value.median:.0f}/{value.most:.0f}"
            lines.append(f"{case:14} {peer:26} {spread:>23}  {share:7.3f}")
        return lines


def _spread(values: Sequence[float]) -> Spread:
    spread = Spread.of(values)
    assert spread is not None
    return spread


def measure(rounds: int, *, kernel: str = "", show: Callable[[str], None] = print) -> GpuSheet:
    """Everything; a driver that ends early leaves what it had measured, and an error."""
    sheet = GpuSheet()
    if kernel and (why := _driven("try-out", kernel).why):
        sheet.errors.append(f"{kernel}: {why}")
        show(f"ERROR {kernel}: {why}")
        kernel = ""
    ended = _driven(str(rounds), *filter(None, [kernel]))
    for line in ended.stdout.splitlines():
        sheet.add(line)
    if ended.why:
        sheet.errors.append(f"{MODULE}: {ended.why}")
        show(f"ERROR {ended.why}")
    return sheet


class _Ended(NamedTuple):
    stdout: str
    why: str  # it did not end well; '' if it did


def _driven(*words: str) -> _Ended:
    command = [sys.executable, "-m", MODULE, *words]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=END_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise PeerError(f"it took more than {END_S:g} s", where=MODULE) from error
    if not ran.returncode:
        return _Ended(ran.stdout, "")
    said = ran.stderr.strip() or f"it ended with {ran.returncode}"
    return _Ended(ran.stdout, said.splitlines()[0])
