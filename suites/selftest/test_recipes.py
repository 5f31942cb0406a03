"""Pages that say how to do something are followed word for word, in a copy of the project."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from suites.selftest.recipe import Step, follow, made, steps

pytestmark = pytest.mark.selftest

PROJECT = Path(__file__).parents[2]
PAGES = (PROJECT / "README.md", *sorted(PROJECT.glob("docs/*.md")))
RECIPES = [page for page in PAGES if any(step.kind == "sh" for step in steps(page.read_text()))]
OURS = ("HIL_", "NCCL_", "PYTEST_", "TOX_", "UCCL_")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project without what runs and tools have left."""

    def left_behind(folder: str, names: list[str]) -> set[str]:
        own = {"reports"} if Path(folder) == PROJECT else set()
        return {n for n in names if n.startswith((".", "__pycache__")) or n in own}

    return Path(shutil.copytree(PROJECT, tmp_path / "project", ignore=left_behind))


def environment(folder: Path) -> dict[str, str]:
    """Of somebody who has the copy installed, and asks for nothing else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    path = [str(folder), *filter(None, [kept.get("PYTHONPATH")])]
    programs = [str(Path(sys.executable).parent), kept["PATH"]]
    return kept | {"PYTHONPATH": os.pathsep.join(path), "PATH": os.pathsep.join(programs)}


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.name)
def test_the_page_can_be_followed(page: Path, copy: Path) -> None:
    follow(page.read_text(), copy, environment(copy))


def test_the_pages_that_teach_are_among_them() -> None:
    found = {page.stem for page in RECIPES}
    assert found >= {"first_run", "add_a_check", "add_a_program", "add_a_fault"}


PAGE = """
Make `a.txt`:
```text
one
two
```
Words between. In `a.txt`:

```diff
 one
+one and a half
 two
```
```sh
grep -q half a.txt
```
Shown only:
```text
anything
```
"""


def test_a_page_is_its_blocks_in_order() -> None:
    assert [step.kind for step in steps(PAGE)] == ["text", "diff", "sh"]
    assert next(steps(PAGE)) == Step("text", "a.txt", ("one", "two"))
    assert made(PAGE) == {"a.txt"}


def test_what_it_says_is_done(tmp_path: Path) -> None:
    follow(PAGE, tmp_path, os.environ)
    assert (tmp_path / "a.txt").read_text() == "one\none and a half\ntwo\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("grep -q half", "grep -q third", "exit status 1"),
        ("grep -q half a.txt", "echo 1 skipped", "shows nothing"),
        (" one\n+", " three\n+", "0 times"),
        ("one\ntwo\n```\nWords", "one\ntwo\none\ntwo\n```\nWords", "2 times"),
    ],
)
def test_a_page_that_cannot_be_followed_fails(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    assert old in PAGE
    with pytest.raises(AssertionError, match=said):
        follow(PAGE.replace(old, new), tmp_path, os.environ)
