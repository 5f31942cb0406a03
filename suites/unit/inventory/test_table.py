from __future__ import annotations

import pytest

from harness.errors import InventoryError
from harness.inventory.table import Problems, Table


def lines(problems: Problems) -> list[str]:
    try:
        problems.raise_any()
    except InventoryError as error:
        return error.seen.splitlines()
    return []


def test_reading_goes_on_after_a_problem():
    problems = Problems("f")
    table = Table({"a": 1, "b": "x"}, "t", problems)
    assert table.text("a", "default") == "default"
    assert table.integer("b", 5, 0, 9) == 5
    assert lines(problems) == ["f: t.a: 1; expected text in quotes", "f: t.b: 'x'; expected 0..9"]


def test_a_problem_is_said_once_however_often_it_is_met():
    problems = Problems("f")
    defaults = Table({"port": "x"}, "defaults", problems)
    for i in range(3):
        Table({}, f"node[{i}]", problems, defaults).integer("port", 0, 1, 9)
    assert lines(problems) == ["f: defaults.port: 'x'; expected 1..9"]


def test_a_table_wins_over_its_defaults_key_by_key():
    problems = Problems("f")
    defaults = Table({"a": "far", "b": "far"}, "defaults", problems)
    table = Table({"a": "near"}, "t", problems, defaults)
    assert [table.text("a"), table.text("b"), table.own().text("b")] == ["near", "far", ""]


def test_keys_that_nobody_asked_for_are_refused_when_it_is_closed():
    problems = Problems("f")
    table = Table({"name": "x", "nmae": "y"}, "", problems)
    table.text("name")
    table.close()
    assert lines(problems) == ["f: nmae: unknown key, did you mean 'name'?; expected one of name"]


def test_a_file_without_problems_raises_nothing():
    assert Problems("f").raise_any() is None


@pytest.mark.parametrize("value", [True, "1", -1, float("nan"), float("inf")])
def test_a_number_is_a_number_and_not_negative(value):
    problems = Problems("f")
    assert Table({"rate": value}, "", problems).number("rate", 2.0) == 2.0
    assert len(lines(problems)) == 1
