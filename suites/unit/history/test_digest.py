"""A digest is the value's own, whoever makes it and whenever."""

from __future__ import annotations

from harness.history.digest import digest


def test_it_is_the_same_everywhere_and_for_any_order_of_keys() -> None:
    assert digest({"a": 1, "b": [2, "c"]}) == digest({"b": [2, "c"], "a": 1}) == "d765e5ded987639d"


def test_another_value_has_another() -> None:
    values = [{}, {"a": 1}, {"a": "1"}, {"a": [1]}, {"b": 1}, [], "\udcff"]
    assert len({digest(value) for value in values}) == len(values)
