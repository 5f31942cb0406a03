"""Sixty measured nights, and changes planted in them from a seed.

The nights are those of nights.csv (see collect.py), a day apart: in the order in which they were
measured; in another order; or with all exchanges dealt out anew. What lasts is of the machine in
the first, what differs from night to night in the first two, and in the third there is nothing but
what differs from exchange to exchange. A change is planted into a series' samples from one night
on, so that everything else about them stays what it is.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from harness.history import Key, Night, Series
from harness.regression import Change

NIGHTS = Path(__file__).with_name("nights.csv")
DAY_S = 86_400.0
KINDS = ("shaped", "unshaped")
NIC = "eth"
DRIFT, DRIFT_NIGHTS = 0.003, 20  # a night
EDGE = 10  # nights before and after a planted change
WITHIN = 2  # nights of a step's date
SOON = 10  # nights in which a drift, after its end, and a wider spread are to be named


def measured(kind: str, file: Path = NIGHTS) -> list[Series]:
    """The whole and each NIC; the visits of a night are one night."""
    found: dict[str, dict[int, Night]] = {}
    with file.open(newline="") as lines:
        for row in csv.DictReader(lines):
            if row["kind"] == kind:
                nights, number = found.setdefault(row["subject"], {}), int(row["night"])
                nights[number] = _with_visit(nights.get(number) or _night(number), row)
    return [_series(kind, subject, list(nights.values())) for subject, nights in found.items()]


def _night(number: int) -> Night:
    return Night(run=f"night-{number}", at_s=DAY_S * number, samples=())


def _with_visit(night: Night, row: dict[str, str]) -> Night:
    samples = (*night.samples, *map(float, row["gb_s"].split()))
    return replace(night, samples=samples, excluded=night.excluded + int(row["excluded"]))


def _series(kind: str, subject: str, nights: Sequence[Night]) -> Series:
    key = Key(fingerprint="testbed", plan=kind, metric="gb_s", subject=subject)
    return Series(key=key, better="higher", nights=tuple(nights))


def shuffled(series: Sequence[Series], seed: int) -> list[Series]:
    """The same nights in another order, which is the same in all: nothing lasts from one night to
    the next."""
    order = np.random.default_rng(seed).permutation(len(series[0].nights))
    return [replace(one, nights=_in_order(one.nights, order)) for one in series]


def _in_order(nights: Sequence[Night], order: Sequence[int]) -> tuple[Night, ...]:
    return tuple(
        replace(nights[place], at_s=DAY_S * number, run=f"night-{number}")
        for number, place in enumerate(order)
    )


def dealt(series: Sequence[Series], seed: int) -> list[Series]:
    """Every exchange in some night, the same in all series; each night keeps its number of them."""
    counts = [len(night.samples) for night in series[0].nights]
    order = np.random.default_rng(seed).permutation(sum(counts))
    parts = np.split(order, np.cumsum(counts)[:-1])
    return [replace(one, nights=_dealt(one.nights, parts)) for one in series]


def _dealt(nights: Sequence[Night], parts: Sequence[np.ndarray]) -> tuple[Night, ...]:
    every = np.concatenate([night.samples for night in nights])
    return tuple(
        replace(night, samples=tuple(map(float, every[part])))
        for night, part in zip(nights, parts, strict=True)
    )


ORDERS: dict[str, Callable[[Sequence[Series], int], Sequence[Series]]] = {
    "as measured": lambda series, _: series,
    "shuffled": shuffled,
    "dealt": dealt,
}


@dataclass(frozen=True, slots=True)
class Planted:
    """A change of one kind: what it does to a night's samples, so many nights after its first."""

    name: str
    make: Callable[[np.ndarray, int], np.ndarray]
    found: Callable[[Change, int], bool]  # whether a change says so, planted at that night
    seen_for: int = 0  # nights from its first until it must be named; 0: to the series' end

    def into(self, series: Series, at: int) -> Series:
        nights = tuple(
            replace(night, samples=tuple(map(float, self.make(np.array(night.samples), n - at))))
            if n >= at
            else night
            for n, night in enumerate(series.nights)
        )
        return replace(series, nights=nights[: at + self.seen_for] if self.seen_for else nights)


def step(share: float) -> Planted:
    return Planted(
        f"step {share:+.0%}",
        lambda samples, _: samples * (1 + share),
        lambda change, at: change.kind != "spread" and abs(change.night - at) <= WITHIN,
    )


def _drifted(samples: np.ndarray, nights: int) -> np.ndarray:
    return samples * (1 - DRIFT * min(nights + 1, DRIFT_NIGHTS))


def _is_the_drift(change: Change, at: int) -> bool:
    """A worsening that lies in its nights, be it called a drift, whose beginning nobody can see to
    the night, or a step."""
    if change.kind == "spread" or change.relative > 0:
        return False
    early = SOON if change.kind == "drift" else WITHIN
    return -early <= change.night - at <= DRIFT_NIGHTS + WITHIN


DRIFTING = Planted(
    f"drift {-DRIFT:.1%} a night", _drifted, _is_the_drift, seen_for=DRIFT_NIGHTS + SOON
)
DRIFTING_BY_NAME = replace(
    DRIFTING,
    name=f"{DRIFTING.name}, called a drift",
    found=lambda change, at: change.kind == "drift" and change.relative < 0,
)


def wider(times: int, seen_for: int) -> Planted:
    """So many times the variance, around the same middle."""

    def make(samples: np.ndarray, _: int) -> np.ndarray:
        middle = np.median(samples)
        return np.asarray(middle + (samples - middle) * times**0.5)

    name = f"variance times {times}, {seen_for} nights"
    return Planted(name, make, lambda change, at: change.kind == "spread", seen_for=seen_for)


WIDER = wider(2, SOON)
STEPS = tuple(map(step, (-0.02, -0.05, -0.10)))


def places(planted: Planted, nights: int, count: int, seed: int) -> list[int]:
    """On which nights to plant, spread by the seed over those that leave enough on both sides."""
    last = nights - max(planted.seen_for, EDGE)
    return np.random.default_rng(seed).integers(EDGE, last, count, endpoint=True).tolist()
