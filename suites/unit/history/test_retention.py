"""Which runs may go, by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.history.retention import spare
from harness.history.store import Kept

DAY_S = 86_400.0


def runs(*, other: Sequence[int] = ()) -> list[Kept]:
    """Ten nights of one testbed; of some nights it is another's."""
    return [
        Kept(
            run=f"n{night}",
            at_s=night * DAY_S,
            fingerprint="other" if night in other else "one",
            topology="t",
            outcome="PASS",
            ended=True,
            taken=1,
            revision={},
            excluded={},
            left={},
        )
        for night in range(10)
    ]


@pytest.mark.parametrize(
    ("found", "rules", "gone"),
    [
        (runs(), {}, ""),
        (runs(), {"keep_days": 3}, "0123456"),
        (runs(), {"keep_nights": 4}, "012345"),
        (runs(), {"keep_days": 3, "keep_nights": 8}, "01"),
        (runs(), {"keep_nights": 4, "baseline": {"n0", "n2"}}, "1345"),
        (runs(other=[0, 1]), {"keep_nights": 4}, "2345"),
        (runs(), {"keep_nights": 0}, "0123456789"),
        (runs(), {"keep_days": 0.5}, "0123456789"),
    ],
    ids=["no rule", "days", "nights", "either", "baseline", "each testbed", "none", "half a day"],
)
def test_what_no_rule_keeps_may_go(found: list[Kept], rules: dict, gone: str) -> None:
    at_s = 9.6 * DAY_S if "keep_days" in rules and rules["keep_days"] == 0.5 else 9.9 * DAY_S
    assert [one.run for one in spare(found, now_s=at_s, **rules)] == [f"n{night}" for night in gone]
