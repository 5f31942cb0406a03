"""Which runs may go: those that no rule keeps. A baseline's are never among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from harness.history.store import Kept

DAY_S = 86_400.0


def spare(
    runs: Sequence[Kept],
    *,
    now_s: float,
    baseline: Collection[str] = (),
    keep_days: float | None = None,
    keep_nights: int | None = None,
) -> list[Kept]:
    """The runs beyond both rules; of the nights, so many of each testbed are kept. A rule that is
    not given keeps nothing, without any rule everything is kept, and `baseline` always is."""
    if keep_days is None and keep_nights is None:
        return []
    newer: Counter[str] = Counter()
    found = []
    for run in sorted(runs, key=lambda one: (one.at_s, one.run), reverse=True):
        newer[run.fingerprint] += 1
        young = keep_days is not None and now_s - run.at_s <= keep_days * DAY_S
        among_last = keep_nights is not None and newer[run.fingerprint] <= keep_nights
        if not (young or among_last or run.run in baseline):
            found.append(run)
    return found[::-1]
