"""A node is asked whether it has a program, in its own environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from harness.errors import ProvisionError
from harness.inventory import NodeSpec
from harness.nodes import Node
from harness.nodes.exchange import Ran
from harness.roles.pair.installed import lacking

PROJECT = Path(__file__).parents[4]


@dataclass
class Here:
    """This machine as a node."""

    environment: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable

    @property
    def spec(self) -> NodeSpec:
        return NodeSpec(
            name="here", address="here", python=self.python, environment=self.environment
        )

    def provision(self) -> str:
        return str(PROJECT)

    def run(self, argv: Sequence[str], *, timeout_s: float) -> Ran:
        ran = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s, check=False)
        return Ran(code=ran.returncode, stdout=ran.stdout, stderr=ran.stderr, duration_s=0.0)


def asked(here: Here, name: str) -> str:
    return lacking(cast(Node, here), name)


def test_a_program_that_is_there_lacks_nothing(tmp_path: Path) -> None:
    file = tmp_path / "p2p/tcpx/tests/test_modules"
    file.parent.mkdir(parents=True)
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    assert asked(Here({"UCCL_HOME": str(tmp_path)}), "test_modules") == ""


def test_what_is_absent_is_told_with_the_places(tmp_path: Path) -> None:
    reason = asked(Here({"UCCL_HOME": str(tmp_path)}), "test_tcpx_perf")
    assert reason.startswith("there is no test_tcpx_perf; expected an executable ")
    assert str(tmp_path) in reason
    assert "UCCL_HOME" in reason


def test_a_node_that_cannot_be_asked_is_the_bench_trouble(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho broken >&2; exit 1\n")
    broken.chmod(0o755)
    with pytest.raises(ProvisionError, match="cannot look for iperf3: broken"):
        asked(Here(python=str(broken)), "iperf3")


def test_the_environment_of_the_node_counts(tmp_path: Path) -> None:
    os.symlink("/bin/true", tmp_path / "iperf3")
    path = os.environ["PATH"]
    assert asked(Here({"PATH": f"{tmp_path}:{path}"}), "iperf3") == ""
