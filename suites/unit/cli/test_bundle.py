from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from harness import __version__
from harness.bundle.make import Made
from harness.cli import bundle


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bundle.add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize("text", ["3", "3.10", "2.7", "3.12.1", "python3"])
def test_a_python_that_this_project_does_not_run_on_is_refused(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed("--python", text)
    assert f"{text!r}, expected one like 3.12" in capsys.readouterr().err


def test_it_says_what_it_made_and_how_it_is_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(file: Path, python: str, *, tests: bool) -> Made:
        assert (python, tests) == ("3.12", True)
        return Made(file=file, size_bytes=3 << 20, wheels=("a.whl",), programs=("sshd", "ssh"))

    monkeypatch.setattr(bundle, "make", make)
    assert bundle.run(parsed("--python", "3.12", "--tests")) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"tcpx-harness-{__version__}-py3.12-")
    assert ".pyz: 3.0 MiB, 1 wheels\nprograms: sshd, ssh\n" in said
