"""What the harness itself costs: an exchange beyond its traffic, the observer, a role's memory."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.bench import machine
from harness.bench.bed import CLIENT, SERVER, Bed
from harness.bench.figures import Spread
from harness.bench.phases import fixed_s, phases
from harness.errors import PeerError
from harness.evidence import Entry, NicCounters, RoleExited
from harness.plan import Plan
from harness.verdict import Outcome, cause, headline, judge

MIB = 1 << 20
SMALL = Plan(size_bytes=4 * MIB)
WATCHED_S = 5.0
LITTLE, MUCH = 64 * MIB, 8192 * MIB
OBSERVER = b"harness.roles.observer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """Prices. `observer_core_share` is of the busier node's observer."""

    phases: dict[str, Spread]
    fixed_s: Spread
    controller_cpu_s: float
    observer_core_share: float
    observer_samples_s: float
    role_memory_bytes: dict[int, int]  # traffic -> the larger role's peak

    def alone(self) -> dict[str, float]:
        """What the promises are about."""
        growth = self.role_memory_bytes[MUCH] - self.role_memory_bytes[LITTLE]
        return {
            "fixed-cost-s": self.fixed_s.median,
            "observer-core-share": self.observer_core_share,
            "role-memory-growth-mib": growth / MIB,
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "phases_s": {name: spread.to_json() for name, spread in self.phases.items()},
            "fixed_s": self.fixed_s.to_json(),
            "controller_cpu_s": self.controller_cpu_s,
            "observer_core_share": self.observer_core_share,
            "observer_samples_s": self.observer_samples_s,
            "role_memory_bytes": {str(k): v for k, v in self.role_memory_bytes.items()},
        }


def fixed_cost(bed: Bed, rounds: int) -> tuple[dict[str, Spread], Spread, float]:
    """Phases of small exchanges on warm connections, their sum, the controller's CPU for one."""
    judged(bed, SMALL)  # connects, provisions, starts the observers
    found, cpu_s = [], []
    for _ in range(rounds):
        bed.await_idle()
        cpu_before_s = time.process_time()
        entries = bed.exchange(SMALL)
        judging_s = time.monotonic()
        green(entries)
        found.append({**phases(entries), "verdict": time.monotonic() - judging_s})
        cpu_s.append(time.process_time() - cpu_before_s)
    spreads = {name: _spread([turn[name] for turn in found]) for name in found[0]}
    return spreads, _spread([fixed_s(turn) for turn in found]), statistics.median(cpu_s)


def observer_cost(bed: Bed) -> tuple[float, float]:
    """The busier observer's share of a core during traffic, and the samples a second it took."""
    size_bytes = bed.case.size_bytes(4, WATCHED_S)
    plan = Plan(size_bytes=64 * MIB, iterations=max(1, size_bytes // (64 * MIB)))
    judged(bed, SMALL)
    before = {node: observer_cpu_s(bed.pid(node)) for node in (SERVER, CLIENT)}
    entries = judged(bed, plan)
    spent_s = max(observer_cpu_s(bed.pid(node)) - cpu_s for node, cpu_s in before.items())
    took_s = phases(entries)["transfer"]
    seen = [entry.record for entry in entries if isinstance(entry.record, NicCounters)]
    sampled = [record.node for record in seen if record.phase == "sample"]
    return spent_s / took_s, max(map(sampled.count, before)) / took_s


def observer_cpu_s(pid: int) -> float:
    """CPU of the observer that runs in the network namespace of `pid`."""
    home = os.readlink(f"/proc/{pid}/ns/net")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (
                OBSERVER in (process / "cmdline").read_bytes()
                and os.readlink(process / "ns/net") == home
            ):
                return machine.process_cpu_s((process / "stat").read_text())
        except OSError:
            continue  # it ended while we looked
    raise PeerError("no observer runs on the node", expected="one, since it is kept warm")


def role_memory(bed: Bed, sizes: Sequence[int] = (LITTLE, MUCH)) -> dict[int, int]:
    """The larger role's peak memory after so much traffic through a buffer of 64 MiB."""
    plan = Plan(size_bytes=64 * MIB, deadline_s=300.0)
    return {
        size: rss_bytes(judged(bed, replace(plan, iterations=size // plan.size_bytes)))
        for size in sizes
    }


def rss_bytes(entries: Sequence[Entry]) -> int:
    """Peak memory of the larger role."""
    return max(e.record.max_rss_bytes for e in entries if isinstance(e.record, RoleExited))


def judged(bed: Bed, plan: Plan) -> list[Entry]:
    """An exchange of which every claim holds."""
    return green(bed.exchange(plan))


def green(entries: list[Entry]) -> list[Entry]:
    worst = cause(judge(entries))
    if Outcome[worst.outcome] > Outcome.PASS:
        raise PeerError(headline(worst))
    return entries


def _spread(values: Sequence[float]) -> Spread:
    return Spread(min(values), statistics.median(values), max(values))
