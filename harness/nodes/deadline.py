"""A point in time by which several steps must be done together."""

from __future__ import annotations

import time

from harness.errors import DeadlineError


class Deadline:
    """`left` is what a step may still take; none left is a DeadlineError that names the step."""

    def __init__(self, timeout_s: float, where: str) -> None:
        self.timeout_s, self.where = timeout_s, where
        self._at = time.monotonic() + timeout_s

    def left(self, step: str) -> float:
        left_s = self._at - time.monotonic()
        if left_s <= 0:
            raise self.passed(step)
        return left_s

    def passed(self, step: str) -> DeadlineError:
        return DeadlineError(f"{step} took longer than {self.timeout_s:g} s", where=self.where)
