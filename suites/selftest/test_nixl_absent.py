"""Without the library: a skip that says what to install, or an error where it is promised."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.nixl import ABSENT, LOOK, check
from fixtures.outcome import PlannedSkip
from harness.errors import ProvisionError
from harness.inventory.spec import NodeSpec
from harness.nodes import Ran

pytestmark = pytest.mark.selftest


class Scripted:
    """A node that has said `code`, and why."""

    spec = NodeSpec(name="alpha", address="10.0.0.1", python="py")

    def __init__(self, code: int, stderr: str = "") -> None:
        self.answer = Ran(code=code, stdout="", stderr=stderr, duration_s=0.1)
        self.asked = 0

    def run(self, argv: list[str], *, timeout_s: float) -> Ran:
        assert argv == ["py", "-c", LOOK]
        self.asked += 1
        return self.answer


def checked(node: Any, *, required: bool) -> None:
    check(node, node.answer, required=required)


def test_a_node_that_has_it_is_used() -> None:
    checked(Scripted(0), required=False)
    checked(Scripted(0), required=True)


def test_a_node_without_it_is_a_skip_with_its_name_and_the_remedy() -> None:
    with pytest.raises(PlannedSkip, match="needs nixl on alpha: py -m pip install --no-deps nixl"):
        checked(Scripted(ABSENT), required=False)


def test_where_it_is_promised_it_is_an_error() -> None:
    with pytest.raises(ProvisionError, match="alpha: py lacks nixl") as caught:
        checked(Scripted(ABSENT), required=True)
    assert "-m pip install --no-deps nixl nixl-cu12" in caught.value.fix


@pytest.mark.parametrize("required", [True, False])
def test_one_that_cannot_be_imported_is_an_error_with_its_reason(required: bool) -> None:
    broken = Scripted(1, "Traceback\nImportError: libucp.so.0: no such file")
    with pytest.raises(ProvisionError, match="cannot import nixl: ImportError: libucp"):
        checked(broken, required=required)


def test_a_node_is_asked_once(nixl_on: Callable[[Any], Ran]) -> None:
    node = Scripted(0)
    assert nixl_on(node) is nixl_on(node) is node.answer
    assert node.asked == 1


@pytest.mark.parametrize(
    ("content", "code"), [(None, ABSENT), ("", 0), ("raise ImportError('no')", 1)]
)
def test_a_python_says_which_it_is(tmp_path: Path, content: str | None, code: int) -> None:
    if content is not None:
        (tmp_path / "nixl").mkdir()
        (tmp_path / "nixl" / "__init__.py").touch()
        (tmp_path / "nixl" / "_api.py").write_text(content)
    program = f"import sys; sys.path = [{str(tmp_path)!r}, *sys.path[-3:]]\n{LOOK}"
    ran = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, check=False)
    assert ran.returncode == code, ran.stderr
