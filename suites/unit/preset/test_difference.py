from __future__ import annotations

from harness.preset import Difference, differences


def test_only_what_differs_is_told_in_order() -> None:
    first, second = {"B": "1", "A": "1", "C": "1"}, {"B": "2", "C": "1", "D": "4"}
    assert differences(first, second) == (
        Difference(name="A", first="1", second="(not set)"),
        Difference(name="B", first="1", second="2"),
        Difference(name="D", first="(not set)", second="4"),
    )


def test_equal_environments_do_not_differ() -> None:
    assert differences({"A": "1"}, {"A": "1"}) == ()
