"""What is written for people: links lead somewhere, and nothing is of one machine or one day."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from harness.inventory import load
from suites.selftest.recipe import made

PROJECT = Path(__file__).parents[2]
PAGES = (
    PROJECT / "README.md",
    *sorted(PROJECT.glob("docs/*.md")),
    *sorted(PROJECT.glob("reports/*.md")),
)
ROOMS = ("docs", "fixtures", "harness", "node_ips", "suites")
SUFFIXES = {".md", ".py", ".sh", ".toml", ".txt", ".ini"}
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
PATH = re.compile(r"`([a-z_]+/[a-z0-9_./]*[a-z0-9_/])`")
MADE_LATER = "reports/"
README_LINES = 60

# A home or a work folder of whoever wrote it; what a tracker calls a change; notes to oneself.
OF_ONE_DAY = re.compile(r"(?<![\w.}])/(?:root|work|Users)/|\bissue #?\d|\b(?:TODO|FIXME|XXX)\b")
# In pages the transport's Session is the only one, and its file.
OF_ONE_SITTING = re.compile(r"\bsessions?\b(?!\.py)")


def texts() -> list[Path]:
    """All that is written, but for this file, which has to name what it forbids."""
    files = [file for room in ROOMS for file in sorted((PROJECT / room).rglob("*"))]
    own = [*files, *PAGES, PROJECT / "pyproject.toml", PROJECT / "tox.ini"]
    return [f for f in own if f.suffix in SUFFIXES and f != Path(__file__)]


def broken_links(page: Path) -> list[str]:
    targets = [t for t in LINK.findall(page.read_text()) if not re.match(r"\w+:", t)]
    return [target for target in targets if not (page.parent / target).exists()]


def gone_paths(page: Path) -> list[str]:
    """Paths of the project that a page names; those of a room may leave out `harness/`, and those
    that the page has one make are not there yet."""
    text = page.read_text()
    later = made(text)
    named = [p for p in PATH.findall(text) if not p.startswith(MADE_LATER) and p not in later]
    places = (PROJECT, PROJECT / "harness")
    return [path for path in named if not any((place / path).exists() for place in places)]


def marked(file: Path, pattern: re.Pattern[str]) -> list[str]:
    lines = enumerate(file.read_text().splitlines(), 1)
    return [
        f"{file.name}:{number}: {line.strip()}" for number, line in lines if pattern.search(line)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    assert broken_links(page) == []


def test_a_link_to_nowhere_is_named(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[a](page.md#part) [b](https://example.org/x) [c](gone.md) [d](../gone.md)")
    assert broken_links(page) == ["gone.md", "../gone.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_files_that_a_page_names_are_there(page: Path) -> None:
    assert gone_paths(page) == []


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("`tcpx/net` `harness/nic/` `roles/gone.py` `fixtures/run.py` `node/NIC`")
    assert gone_paths(page) == ["roles/gone.py"]


def test_the_inventories_that_are_shown_can_be_used(tmp_path: Path) -> None:
    page = (PROJECT / "docs/inventory.md").read_text()
    shown = [dedent(block) for block in re.findall(r"(?:^(?: {4}.*)?\n)+", page, re.M)]
    plain, full = (block for block in shown if "10.65.74.150" in block)
    (tmp_path / "nodes.txt").write_text(plain)
    (tmp_path / "nodes.toml").write_text(full)
    for name in ("nodes.txt", "nodes.toml"):
        found = load(tmp_path / name)
        assert [node.address for node in found.nodes] == ["10.65.74.150", "10.64.113.77"]
        assert all(node.nic_names == ("eth1", "eth2", "eth3", "eth4") for node in found.nodes)


def test_nothing_is_of_one_machine_or_one_day() -> None:
    assert [line for file in texts() for line in marked(file, OF_ONE_DAY)] == []
    assert [line for page in PAGES for line in marked(page, OF_ONE_SITTING)] == []


@pytest.mark.parametrize("line", ["see /work/notes", "as issue 7 asks", "x = 1  # TODO"])
def test_what_is_of_one_day_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "file.py"
    file.write_text(f"fine = '/proc/1/root/run'\n{line}\n")
    assert marked(file, OF_ONE_DAY) == [f"file.py:2: {line}"]


def test_the_readme_is_read_in_one_go() -> None:
    assert len(PAGES[0].read_text().splitlines()) < README_LINES


def test_the_licence_is_the_one_that_is_stated() -> None:
    assert 'license = "Apache-2.0"' in (PROJECT / "pyproject.toml").read_text()
    assert (
        "Apache License\n                           Version 2.0"
        in (PROJECT / "LICENSE").read_text()
    )
