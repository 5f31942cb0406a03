"""Without the library: a skip that says what to install, or an error where it is promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from fixtures.nixl import FIND, _find
from fixtures.outcome import PlannedSkip
from harness.errors import ProvisionError
from harness.inventory.spec import NodeSpec
from harness.nodes import Ran

pytestmark = pytest.mark.selftest


@dataclass
class Scripted:
    """A node that answers with `code` to the one question that may be asked."""

    code: int
    spec = NodeSpec(name="alpha", address="10.0.0.1", python="py")

    def run(self, argv: Sequence[str], *, timeout_s: float) -> Ran:
        assert argv == ["py", "-c", FIND]
        return Ran(code=self.code, stdout="", stderr="", duration_s=0.1)


def find(code: int, *, required: bool) -> None:
    node: Any = Scripted(code)
    _find(node, required=required)


def test_a_node_that_has_it_is_used() -> None:
    find(0, required=False)
    find(0, required=True)


def test_a_node_without_it_is_a_skip_with_its_name_and_the_remedy() -> None:
    with pytest.raises(PlannedSkip, match="needs nixl on alpha: py -m pip install --no-deps nixl"):
        find(1, required=False)


def test_where_it_was_promised_it_is_an_error() -> None:
    with pytest.raises(ProvisionError, match="alpha: py lacks nixl") as caught:
        find(1, required=True)
    assert "-m pip install --no-deps nixl nixl-cu12" in caught.value.fix
