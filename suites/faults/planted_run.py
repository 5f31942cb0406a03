"""One planted test in a pytest of its own, and what it must be called everywhere.

What is checked is what a person or a CI system gets: the exit code, our JUnit file and pytest's.
"""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.inventory import NodeSpec
from harness.testbed.handout import inventory as inventory_text

PROJECT = Path(__file__).parents[2]
RUN_S = 90.0
CATEGORY = {"FAIL": "failure", "ERROR": "error", "INCONCLUSIVE": "error", "SKIP": "skipped"}


@dataclass(frozen=True)
class Case:
    """One test case of a JUnit file."""

    name: str
    classname: str
    category: str
    klass: str
    message: str


@dataclass(frozen=True)
class Red:
    """What a planted fault must be called, and words of its fact. `place` has {server} and {client}
    for node names."""

    outcome: str
    klass: str
    place: str = ""
    says: str = ""


def expect(
    red: Red, planted: str, nodes: Sequence[NodeSpec], tier: str, folder: Path, *options: str
) -> None:
    """`planted` is a test's id; it must be red in these words."""
    code, ours, theirs = run(planted, nodes, tier, folder, *options)
    place = red.place.format(server=nodes[0].name, client=nodes[1].name)
    head = f"{red.klass} {place}:" if place else f"{red.klass}:"
    word = "" if red.outcome == "FAIL" else f"{red.outcome} "
    seen = f"{ours.message}\nexpected to begin with {word}{head}"
    assert code == 1, seen
    assert ours.category == CATEGORY[red.outcome], seen
    assert ours.klass == red.klass, seen
    assert ours.message.startswith(word + head), seen
    assert red.says in ours.message, seen
    assert (theirs.name, theirs.classname) == (ours.name, ours.classname)
    assert theirs.category == ours.category, seen
    assert head in theirs.message, theirs.message


def run(
    planted: str, nodes: Sequence[NodeSpec], tier: str, folder: Path, *options: str
) -> tuple[int, Case, Case]:
    """Exit code, and the one case of our JUnit file and of pytest's."""
    nodes_file = folder / "nodes.toml"
    nodes_file.write_text(inventory_text(nodes, tier))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["--hil-nodes", str(nodes_file), "--hil-reports", str(folder / "reports")]
    command += ["--junitxml", str(folder / "pytest.xml"), *options, planted]
    ran = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=RUN_S, check=False
    )
    files = [*folder.glob("reports/*/junit.xml"), folder / "pytest.xml"]
    assert len(files) == 2, ran.stdout + ran.stderr
    ours, theirs = (_only_case(file) for file in files)
    return ran.returncode, ours, theirs


def _only_case(file: Path) -> Case:
    (case,) = ET.parse(file).iter("testcase")
    bad = next((child for child in case if child.tag in CATEGORY.values()), None)
    return Case(
        name=case.get("name", ""),
        classname=case.get("classname", ""),
        category="" if bad is None else bad.tag,
        klass="" if bad is None else bad.get("type", ""),
        message="" if bad is None else bad.get("message", ""),
    )
