"""Between which two nights a change came, and what was changed on the bench in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.history.series import Night

SLACK = 2  # nights: a change is dated to within so many, where nights vary much
TOLD = "revision"  # what a run is told to be under test, with --hil-revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The last run that was before the change for sure, and the first that was after it."""

    before: str
    after: str
    changed: tuple[str, ...]  # "driver gve 1.0 -> gve 1.1"
    untold: bool  # nobody said what was under test in one of them

    def told(self) -> str:
        """A sentence; that nothing was recorded is said as well."""
        lines = "; ".join(self.changed) or "nothing that was recorded changed"
        return f"{lines}; not every run has a --hil-revision" if self.untold else lines


def blame(nights: Sequence[Night], at: int) -> Range:
    """For a change whose first night is `nights[at]`: all that came in the nights around it, each
    with the run that it came with."""
    measured = [night for night in nights if night.samples]
    place = measured.index(nights[at])
    around = measured[max(0, place - 1 - SLACK) : place + SLACK + 1]
    steps = [between(a.run, a.revision, b.run, b.revision) for a, b in pairwise(around)]
    return Range(
        before=around[0].run,
        after=around[-1].run,
        changed=tuple(f"{line} in {one.after}" for one in steps for line in one.changed),
        untold=any(one.untold for one in steps),
    )


def between(before: str, old: Mapping[str, str], after: str, new: Mapping[str, str]) -> Range:
    changed = tuple(
        f"{what} {old.get(what, 'unknown')} -> {new.get(what, 'unknown')}"
        for what in dict.fromkeys((TOLD, *old, *new))
        if old.get(what) != new.get(what)
    )
    untold = TOLD not in old or TOLD not in new
    return Range(before=before, after=after, changed=changed, untold=untold)
