"""`python -m harness`: the right command, one sentence for an error, a traceback for a bug only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from pkgutil import iter_modules

import pytest

import harness.cli
from harness import __version__
from harness.__main__ import main
from harness.cli import enroll

COMMANDS = [module.name for module in iter_modules(harness.cli.__path__)]
PROJECT = Path(__file__).parents[2]
RUN_S = 30.0


def leaves(argv: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str, str]:
    """Exit status and both streams of a main that argparse ends."""
    with pytest.raises(SystemExit) as left:
        main(argv)
    said = capsys.readouterr()
    return left.value.code, said.out, said.err


def test_an_unknown_command_is_refused_with_those_that_exist(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = leaves(["dance"], capsys)
    assert (code, out) == (2, "")
    assert "invalid choice: 'dance'" in err
    assert all(command in err for command in COMMANDS)


def test_no_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = leaves([], capsys)
    assert code == 2
    assert "COMMAND" in err


def test_help_lists_every_command_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = leaves(["--help"], capsys)
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    for command in COMMANDS:
        assert any(words[0] == command and len(words) > 2 for words in lines if words), command


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = leaves([command, "--help"], capsys)
    assert code == 0
    assert out.startswith(f"usage: python -m harness {command}")


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert leaves(["--version"], capsys)[:2] == (0, f"tcpx-harness {__version__}\n")


def test_an_error_of_ours_is_one_sentence_and_status_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["enroll"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == ("INVENTORY: no host to enroll. Name a HOST, or an inventory with --nodes\n")


def test_a_commands_status_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enroll, "run", lambda args: 1 if args.hosts == ["a"] else 7)
    assert main(["enroll", "a"]) == 1


def test_ctrl_c_is_not_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(enroll, "run", run)
    assert main(["enroll", "a"]) == 130


def test_a_bug_is_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(args: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(enroll, "run", run)
    with pytest.raises(ZeroDivisionError):
        main(["enroll", "a"])


def test_it_runs_as_a_module_and_loads_no_other_command() -> None:
    program = (
        "import sys, runpy\n"
        "sys.argv = ['harness', 'report', '/no/such/run']\n"
        "try:\n    runpy.run_module('harness', run_name='__main__')\n"
        "except SystemExit as left:\n    code = left.code\n"
        "loaded = [name for name in sys.modules if name.startswith('harness.cli.')]\n"
        "print(code, loaded)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=True,
    )
    assert ran.stdout == "2 ['harness.cli.report']\n"
    assert "/no/such/run" in ran.stderr
    assert "Traceback" not in ran.stderr
