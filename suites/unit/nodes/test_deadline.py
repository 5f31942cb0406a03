"""Several steps share one deadline."""

from __future__ import annotations

import pytest

from harness.errors import DeadlineError
from harness.nodes.deadline import Deadline


def test_time_left_shrinks_and_its_end_names_the_step() -> None:
    deadline = Deadline(60, "alpha")
    first = deadline.left("one")
    assert 0 < deadline.left("two") <= first <= 60
    with pytest.raises(DeadlineError, match="alpha: logging in took longer than 0 s"):
        Deadline(0, "alpha").left("logging in")
