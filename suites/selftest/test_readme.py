"""What README.md and docs/ tell people to type is what the programs take.

`doctor` is run. Other commands of ours have places to fill in or go on for minutes: those are
parsed, by the very parser that would take them, and pytest's collect what they name. The
installations and the two tox environments are run by test_install.py.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from pkgutil import iter_modules

import pytest

import harness.cli
from harness.__main__ import build_parser

pytestmark = pytest.mark.selftest

PROJECT = Path(__file__).parents[2]
PAGES = (PROJECT / "README.md", *sorted(PROJECT.glob("docs/*.md")))
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")
HARNESS, ROLES, PYTEST, TOX = "python -m harness ", "python -m harness.roles ", "pytest ", "tox "
EXAMPLE = {"my_nodes.toml": str(PROJECT / "node_ips/example.toml")}  # as README says: a copy of it
RUN_S = 60.0


def commands(text: str) -> Iterator[str]:
    """What stands in indented blocks, fences and spans, a command each, without its comment."""
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield from pieces(line)
        else:
            for span in SPAN.findall(line):
                yield from pieces(span)


def pieces(line: str) -> Iterator[str]:
    for piece in line.partition(" #")[0].split("&&"):
        yield piece.strip().removeprefix(".venv/bin/") + " "


def named(program: str) -> list[str]:
    """Every command of `program` in the pages, once."""
    found = (command for page in PAGES for command in commands(page.read_text()))
    return [c.strip() for c in dict.fromkeys(found) if c.startswith(program)]


def arguments(command: str, program: str) -> list[str]:
    return [EXAMPLE.get(word, word) for word in shlex.split(command)[len(program.split()) :]]


def run(*command: str) -> str:
    ran = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=RUN_S, check=False
    )
    assert ran.returncode == 0, f"{shlex.join(command)}\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def test_the_two_commands_and_the_plain_way_are_in_the_readme() -> None:
    found = [command.strip() for command in commands(PAGES[0].read_text())]
    for command in ("tox -e testbed", "tox", "pip install -e .", "pytest -m hardware"):
        assert command in found


def test_commands_are_found_wherever_they_stand() -> None:
    text = "Try `tox -e x`.\n\n    .venv/bin/tox  # all\n\n```\npip install a && pytest -q\n```\n"
    assert [c.strip() for c in commands(text)] == ["tox -e x", "tox", "pip install a", "pytest -q"]


@pytest.mark.parametrize("command", named(HARNESS))
def test_the_harness_takes_the_command(command: str) -> None:
    name, *rest = arguments(command, HARNESS)
    try:
        build_parser([name]).parse_args([name, *rest])
    except (SystemExit, ModuleNotFoundError) as error:
        pytest.fail(f"`{command}` is not understood: {error}")


def test_doctor_finds_all_that_this_very_run_needed() -> None:
    assert "MISSING" not in run(sys.executable, "-m", "harness", "doctor")


@pytest.mark.parametrize("command", named(PYTEST))
def test_pytest_finds_tests_for_the_command(command: str) -> None:
    words = arguments(command, PYTEST)
    said = run(sys.executable, "-m", "pytest", "--collect-only", "-q", *words)
    place = next((word for word in words if word.startswith("suites/")), "suites/hardware")
    assert any(line.startswith(place) and "::test_" in line for line in said.splitlines())


@pytest.mark.parametrize("command", named(TOX))
def test_tox_has_the_environment(command: str) -> None:
    words = arguments(command, TOX)
    known = run(sys.executable, "-m", "tox", "list", "--no-desc").split()
    assert all(name in known for name in words if not name.startswith("-")), command


def test_every_option_that_is_named_exists() -> None:
    programs = ["pytest", "pip install", "harness.roles"]
    programs += ["harness bench gpu"]
    programs += [f"harness {module.name}" for module in iter_modules(harness.cli.__path__)]
    helps = [run(sys.executable, "-m", *name.split(), "--help") for name in programs]
    known = set(OPTION.findall("\n".join(helps)))
    stated = {option for page in PAGES for option in OPTION.findall(page.read_text())}
    assert sorted(stated - known) == []
