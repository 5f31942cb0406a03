from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from harness.testbed import linux

CODE = Path(__file__).parents[3]


def run(code: str) -> int:
    argv = [sys.executable, "-c", code]
    return subprocess.run(argv, check=False, timeout=10, cwd=CODE).returncode


def test_a_process_lives_while_its_parent_does() -> None:
    code = "import os; from harness.testbed import die_with_parent; die_with_parent(os.getppid())"
    assert run(code) == 0


def test_a_process_whose_parent_has_gone_already_is_killed() -> None:
    assert run("from harness.testbed import die_with_parent; die_with_parent(4194305)") == -9


TIED = """
import os, sys
from harness.testbed import die_with_parent
die_with_parent(os.getppid())
print("tied", flush=True)
sys.stdin.read()
print("survived")
"""


def test_a_process_is_killed_with_its_parent() -> None:
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {TIED!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", parent],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=CODE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "tied\n"
        process.kill()
        process.wait(10)
        said, _ = process.communicate(timeout=10)  # ends when the child has closed it too
    assert said == ""


def test_a_refused_call_is_an_error_with_its_number() -> None:
    with pytest.raises(OSError, match="nowhere") as caught:
        linux.mount("none", "/nowhere/at/all", "tmpfs")
    assert caught.value.errno in (errno.ENOENT, errno.EPERM)
