"""What README.md, docs/ and the files for CI systems say to type is what the programs take.

`doctor` is run, and test_recipes.py follows the pages that are recipes. Other commands of ours have
places to fill in or go on for minutes: those are parsed, by the very parser that would take them,
and pytest's collect what they name. The installations and the two tox environments are run by
test_install.py.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from pkgutil import iter_modules

import pytest

import harness.cli
from harness.__main__ import build_parser
from suites.selftest.commands import commands, of, scripted, steps

pytestmark = pytest.mark.selftest

PROJECT = Path(__file__).parents[2]
PAGES = (PROJECT / "README.md", *sorted(PROJECT.glob("docs/*.md")))
CI = (
    *sorted(PROJECT.glob(".github/workflows/*.yml")),
    PROJECT / "docs/ci/gitlab-ci.yml",
    PROJECT / "docs/ci/Jenkinsfile",
)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")
OTHERS = re.compile(r"\$\([^)\n]*\)")  # what a shell puts in, said by programs of others
HARNESS, ROLES, PYTEST, TOX = "python -m harness ", "python -m harness.roles ", "pytest ", "tox "
EXAMPLE = {"my_nodes.toml": str(PROJECT / "node_ips/example.toml")}  # as README says: a copy of it
RUN_S = 60.0


def named(program: str) -> list[str]:
    """Every command of `program` in the pages and the files for CI, once."""
    found = (command for file in (*PAGES, *CI) for command in of(file))
    return [c.strip() for c in dict.fromkeys(found) if c.startswith(program)]


def arguments(command: str, program: str) -> list[str]:
    return [EXAMPLE.get(word, word) for word in shlex.split(command)[len(program.split()) :]]


def start(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=RUN_S, check=False
    )


def run(*command: str) -> str:
    ran = start(*command)
    assert ran.returncode == 0, f"{shlex.join(command)}\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def test_the_two_commands_and_the_plain_way_are_in_the_readme() -> None:
    found = [command.strip() for command in commands(PAGES[0].read_text())]
    for command in ("tox -e testbed", "tox", "pip install -e .", "pytest -m hardware"):
        assert command in found


def test_commands_are_found_wherever_they_stand() -> None:
    text = "Try `tox -e x`.\n\n    .venv/bin/tox  # all\n\n```\npip install a && pytest -q\n```\n"
    text += "\n```sh\npytest --run-elsewhere\n```\n"
    assert [c.strip() for c in commands(text)] == ["tox -e x", "tox", "pip install a", "pytest -q"]


def test_commands_of_ci_systems_are_found_however_they_are_started() -> None:
    line = 'sudo -E env "PATH=$PATH" tox -e b'
    text = f"a: {{script: [tox -e a]}}\nb: [{{run: 'if x; then tox; else {line}; fi'}}]\n"
    assert [c for c in scripted(text) if c.startswith("tox")] == ["tox -e a ", "tox ", "tox -e b "]
    assert list(steps("steps { sh '.venv/bin/tox -e c' }")) == ["tox -e c "]


def test_every_file_for_ci_names_commands_of_ours() -> None:
    assert [file.name for file in CI if not any(c.startswith(TOX) for c in of(file))] == []


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
    ran = collected()[command]
    words = arguments(command, PYTEST)
    place = next((word for word in words if word.startswith("suites/")), "suites/")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert any(line.startswith(place) and "::test_" in line for line in ran.stdout.splitlines())


@cache
def collected() -> dict[str, subprocess.CompletedProcess[str]]:
    """What pytest finds for each command; two at a time, for each takes a second."""

    def collect(command: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "pytest", "--collect-only", "-q"]
        return start(*words, *arguments(command, PYTEST))

    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip(every := named(PYTEST), pool.map(collect, every), strict=True))


@pytest.mark.parametrize("command", named(TOX))
def test_tox_has_the_environment(command: str) -> None:
    own, _, _ = command.partition(" -- ")
    named = [name for word in arguments(own, TOX) for name in word.split(",")]
    assert [name for name in named if not name.startswith("-") and name not in environments()] == []


def test_every_option_that_is_named_exists() -> None:
    texts = [page.read_text() for page in PAGES]
    texts += [command for program in (TOX, PYTEST, HARNESS) for command in named(program)]
    stated = {option for text in texts for option in OPTION.findall(OTHERS.sub("", text))}
    assert sorted(stated - options()) == []


@cache
def environments() -> frozenset[str]:
    return frozenset(run(sys.executable, "-m", "tox", "list", "--no-desc").split())


@cache
def options() -> frozenset[str]:
    """Of all programs that are ours to be started with."""
    ours = [module.name for module in iter_modules(harness.cli.__path__)]
    others = ("pytest", "pip install", "harness.roles", "harness bench gpu")
    helps = [run(sys.executable, "-m", *name.split(), "--help") for name in others]
    helps.append(run(sys.executable, str(PROJECT / "suites/unit/regression/evaluate.py"), "--help"))
    return frozenset(OPTION.findall("\n".join([*helps, *helps_of(build_parser(ours))])))


def helps_of(parser: ArgumentParser) -> Iterator[str]:
    """Its own, and those of its subcommands, however deep."""
    yield parser.format_help()
    choices = [action.choices for action in parser._actions if isinstance(action.choices, dict)]
    for sub in (sub for named in choices for sub in named.values()):
        yield from helps_of(sub)
