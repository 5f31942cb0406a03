"""All that the trend page is made of, as the history and the statistics have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from harness.history import Fingerprint, History, Kept, Series, Tested
from harness.history.series import Better
from harness.report.page.units import size
from harness.verdict import counted


class Change(Protocol):
    """What the page needs to know of a change point."""

    @property
    def night(self) -> int: ...
    @property
    def before(self) -> float: ...
    @property
    def after(self) -> float: ...
    @property
    def relative(self) -> float: ...
    @property
    def kind(self) -> str: ...
    def is_worse(self, better: Better) -> bool: ...


# Nights of a series: of fewer, any order may be chance, so that no change can be found in them.
ENOUGH = 14
Changes = Callable[[Series], Sequence[Change]]
Derived = Callable[[Sequence[Series]], Sequence[Series]]


@dataclass(frozen=True, kw_only=True)
class Past:
    """`series` hold the nights of the same machines, whatever ran on them."""

    runs: Sequence[Kept]
    series: Sequence[Series]
    tests: Sequence[Tested]
    plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    testbeds: dict[str, Fingerprint] = field(default_factory=dict)
    changes: Changes = field(default=lambda _: ())

    @cached_property
    def moved(self) -> list[tuple[Series, Change]]:
        """Every change with its series, the latest first."""
        found = [(one, change) for one in self.series for change in self.changes(one)]
        return sorted(found, key=lambda pair: -pair[0].nights[pair[1].night].at_s)

    @cached_property
    def long_enough(self) -> list[Series]:
        return [one for one in self.series if is_long_enough(one)]

    def moved_in(self, series: Series) -> list[Change]:
        return [change for one, change in self.moved if one is series]

    def plan(self, digest: str) -> str:
        """What was moved and how, in a line; the digest tells plans apart that read alike."""
        body = self.plans.get(digest, {})
        total = size(body.get("size_bytes", 0) * body.get("iterations", 1))
        parts = [
            str(body.get("program") or body.get("exercise", "transfer")),
            counted(body.get("rails") or body.get("channels", 1), "channel"),
            f"{total} in chunks of {size(body.get('chunk_bytes', 0))}",
            f"{body.get('client', '?')} to {body.get('server', '?')}",
            *self._unusual(body),
        ]
        return f"{', '.join(parts)} ({digest[:6]})"

    def _unusual(self, body: dict[str, Any]) -> list[str]:
        """What is not as it mostly is."""
        usual = {"memory": "host", "transport": "sockets", "distribution": "round-robin"}
        words = [str(body[name]) for name, word in usual.items() if body.get(name, word) != word]
        return words + (["acknowledged"] if body.get("acknowledged") else [])

    @cached_property
    def topologies(self) -> list[str]:
        """The one that ran last is the first."""
        return list(dict.fromkeys(one.topology for one in reversed(self.runs)))

    def nodes(self, topology: str) -> str:
        of = next(one.fingerprint for one in self.runs if one.topology == topology)
        found = self.testbeds.get(of)
        return ", ".join(found.nodes) if found else "unknown nodes"


def is_long_enough(series: Series) -> bool:
    """Whether that it did not change means anything."""
    return sum(bool(night.samples) for night in series.nights) >= ENOUGH


def past(history: History, changes: Changes, derived: Derived = lambda _: ()) -> Past:
    """Everything that the history has, and of what can be derived from it what became worse: of
    shares, one that falls makes others rise."""
    series = history.joined()
    worse = [one for one in derived(series) if any(c.is_worse(one.better) for c in changes(one))]
    return Past(
        runs=history.runs(),
        series=[*series, *worse],
        tests=history.tests(),
        plans=history.plans(),
        testbeds=history.testbeds(),
        changes=changes,
    )
