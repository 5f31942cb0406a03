"""The table of the transport's features: each file and test that it names is there, and its tier is
one on which that test can run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from harness.inventory import TIERS

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "seeds.md"
HEAD = "| feature | lives in | proven by | tier |"
CODE = re.compile(r"`([^`]+)`")
STRONGER = "testbed+"  # the testbed and all that is stronger
NODES = {"hardware", "faults", "selftest", "nixl"}  # suites that run against nodes
LEAST = 50  # rows; fewer, and the table was not read


@dataclass(frozen=True)
class Row:
    """One feature."""

    feature: str
    files: tuple[str, ...]
    tests: tuple[str, ...]
    tiers: tuple[str, ...]


def rows(text: str) -> Iterator[Row]:
    """The rows of every table of features."""
    for table in re.split(r"\n\s*\n", text):
        lines = table.splitlines()
        if HEAD in lines:
            for line in lines[lines.index(HEAD) + 2 :]:
                feature, files, tests, tier = (cell.strip() for cell in line.split("|")[1:-1])
                found = (tuple(CODE.findall(files)), tuple(CODE.findall(tests)))
                yield Row(feature, *found, tuple(tier.split(", ")))


@cache
def defined_in(file: str) -> frozenset[str]:
    """The tests of a file of suites/; none where there is no such file."""
    path = PROJECT / "suites" / file
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def wrong(row: Row) -> list[str]:
    """What a row says that is not so."""
    problems = [f"there is no {f}" for f in row.files if not (PROJECT / "harness" / f).is_file()]
    for named in row.tests:
        file, _, test = named.partition("::")
        if not test.startswith("test_") or test not in defined_in(file):
            problems.append(f"there is no {named}")
    problems += [f"{kind} is not named" for kind in ("files", "tests") if not getattr(row, kind)]
    known = {"unit", STRONGER, *TIERS}
    problems += [f"there is no tier {tier}" for tier in row.tiers if tier not in known]
    suites = {named.partition("/")[0] for named in row.tests}
    for says, runs in ((("unit",), {"unit"}), ((STRONGER, *TIERS), NODES)):
        if bool(set(row.tiers) & set(says)) != bool(suites & runs):
            problems.append(f"tier {', '.join(row.tiers)} of tests in {', '.join(sorted(suites))}")
    return [f"{row.feature}: {problem}" for problem in problems]


def test_every_row_names_files_and_tests_that_are_there() -> None:
    found = list(rows(PAGE.read_text()))
    assert len(found) >= LEAST
    assert [problem for row in found for problem in wrong(row)] == []


GOOD = Row("x", ("plan/plan.py",), ("unit/test_seeds.py::test_what_is_not_so_is_named",), ("unit",))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"files": ("plan/gone.py",)}, "x: there is no plan/gone.py"),
        ({"files": ()}, "x: files is not named"),
        (
            {"tests": ("unit/test_seeds.py::test_gone",)},
            "x: there is no unit/test_seeds.py::test_gone",
        ),
        (
            {"tests": ("unit/gone.py::test_gone",)},
            "x: there is no unit/gone.py::test_gone",
        ),
        ({"tests": ("unit/test_seeds.py::rows",)}, "x: there is no unit/test_seeds.py::rows"),
        ({"tiers": ("unit", "best")}, "x: there is no tier best"),
        ({"tiers": ("unit", "testbed")}, "x: tier unit, testbed of tests in unit"),
        ({"tiers": ("testbed",)}, "x: tier testbed of tests in unit"),
    ],
)
def test_what_is_not_so_is_named(changes: dict[str, tuple[str, ...]], problem: str) -> None:
    assert wrong(GOOD) == []
    assert problem in wrong(Row(**{**vars(GOOD), **changes}))


def test_rows_are_read_from_every_table_of_features_and_from_no_other() -> None:
    table = f"{HEAD}\n|---|---|---|---|\n| a `B` | `c.py` | `d.py::test_e`, `f` | unit, testbed |"
    other = "| question | they say | here |\n|---|---|---|\n| `x` | y | z |"
    row = Row("a `B`", ("c.py",), ("d.py::test_e", "f"), ("unit", "testbed"))
    assert list(rows(f"text\n\n{table}\n\n{other}\n\n{table}\n")) == [row, row]
