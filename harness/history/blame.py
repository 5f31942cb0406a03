"""Between which two nights a change came, and what was changed on the bench in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.history.series import Night

TOLD = "revision"  # what a run is told to be under test, with --hil-revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The last run before the change and the first one after it."""

    before: str
    after: str
    changed: tuple[str, ...]  # "driver gve 1.0 -> gve 1.1"
    untold: bool  # nobody said what was under test in one of the two

    def told(self) -> str:
        """A sentence; that nothing was recorded is said as well."""
        lines = "; ".join(self.changed) or "nothing that was recorded changed"
        return f"{lines}; a run has no --hil-revision" if self.untold else lines


def blame(nights: Sequence[Night], at: int) -> Range:
    """For a change whose first night is `nights[at]`: what came since the last one with samples."""
    after = nights[at]
    before = next((one for one in reversed(nights[:at]) if one.samples), after)
    return between(before.run, before.revision, after.run, after.revision)


def between(before: str, old: Mapping[str, str], after: str, new: Mapping[str, str]) -> Range:
    changed = tuple(
        f"{what} {old.get(what, 'unknown')} -> {new.get(what, 'unknown')}"
        for what in dict.fromkeys((TOLD, *old, *new))
        if old.get(what) != new.get(what)
    )
    untold = TOLD not in old or TOLD not in new
    return Range(before=before, after=after, changed=changed, untold=untold)
