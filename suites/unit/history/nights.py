"""Runs and series as pure data: the material of the history's tests."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.evidence import Entry, NodeFacts, RunEnded, RunStarted
from harness.history import Fingerprint, Key, Night, Run, Series
from harness.verdict import judge
from suites.unit.report.run import joined
from suites.unit.verdict.clean import WALL_S, clean, entries_of

DAY_S = 86_400.0
LONG = {"iterations": 2, "size_bytes": 64 << 20}  # a plan whose speed counts
NICS = [{"name": f"eth{n}", "rate_gbit_s": 1.0, "mtu": 9000} for n in range(1, 5)]
NODES = [{"name": name, "nics": NICS, "gpus": [], "environment": {}} for name in ("alpha", "beta")]
FACTS = {
    "kernel.release": "6.18.0",
    "gpu.driver": "none",
    "cpu.model": "a CPU",
    "cpu.online": "0-1",
    **{f"nic.eth{n}.driver": "veth" for n in range(1, 5)},
    **{f"nic.eth{n}.driver_version": "1.0" for n in range(1, 5)},
    **{f"nic.eth{n}.firmware": "7.1" for n in range(1, 5)},
}


def exchange(name: str = "main-1", **plan: Any) -> list[Entry]:
    """A clean exchange of a plan whose speed counts, with its verdicts."""
    entries = clean(name, **{**LONG, **plan})
    return judged(entries)


def judged(entries: list[Entry]) -> list[Entry]:
    last = entries[-1]
    return [*entries, *(replace(last, record=one) for one in judge(entries))]


def run(
    *exchanges: list[Entry],
    name: str = "run-1",
    night: int = 0,
    nodes: Sequence[dict[str, Any]] = NODES,
    facts: dict[str, str] | None = None,
    options: dict[str, Any] | None = None,
    ended: bool = True,
) -> list[Entry]:
    """A run of these exchanges, begun so many days after the first night."""
    started = RunStarted(
        tier="testbed",
        inventory={"source": "made", "nodes": list(nodes)},
        options=options or {},
        versions={"tcpx-harness": "0.1.0"},
    )
    told = [NodeFacts(node=n["name"], facts=facts or FACTS) for n in nodes]
    first = entries_of([(0.0, record) for record in (started, *told)], exchange="")
    last = entries_of([(0.0, RunEnded(exit_code=0))], exchange="") if ended else []
    whole = joined([first, *exchanges, *([last] if last else [])])
    return [replace(e, run=name, wall_s=e.wall_s + night * DAY_S) for e in whole]


def kept(night: int = 0, *, gb_s: Sequence[float] = (0.12, 0.13), **about: Any) -> Run:
    """What the history keeps of a run, without going through a journal."""
    found = about.pop("fingerprint", bed())
    name = f"night-{night:04}"
    words = about.pop("revision", {"revision": "a1b2c3"})
    key = Key(fingerprint=found.digest, plan="p" * 16, metric="gb_s", subject="eth1")
    when = WALL_S + night * DAY_S
    nights = (Night(run=name, at_s=when, samples=tuple(gb_s), excluded=1, revision=words),)
    return Run(
        **{
            "run": name,
            "at_s": when,
            "tier": "testbed",
            "outcome": "PASS",
            "ended": True,
            "fingerprint": found,
            "revision": words,
            "series": (Series(key=key, better="higher", nights=nights),),
            "plans": {key.plan: {"channels": 4, "server": "alpha", "client": "beta"}},
            "taken": len(gb_s),
            "tests": {"a.py::test_a": "PASS"},
            **about,
        }
    )


def bed(*, kernel: str = "6.18.0", nodes: str = "alpha,beta") -> Fingerprint:
    return Fingerprint(
        topology={"tier": "testbed", "nodes": nodes, "alpha.nic.eth1.mtu": "9000"},
        makeup={"alpha.kernel": kernel, "beta.kernel": kernel},
    )


def many(nights: int, series: int, seed: int = 1) -> list[Run]:
    """Nights with so many series of ten samples each."""
    made = random.Random(seed)
    found = bed()
    runs = []
    for night in range(nights):
        one = kept(night)
        (only,) = one.series
        more = tuple(_other(only, n, made) for n in range(series))
        runs.append(replace(one, series=more, fingerprint=found))
    return runs


def _other(series: Series, number: int, made: random.Random) -> Series:
    (night,) = series.nights
    samples = tuple(made.gauss(0.12, 0.002) for _ in range(10))
    return replace(
        series,
        key=replace(series.key, subject=f"eth{number}"),
        nights=(replace(night, samples=samples),),
    )
