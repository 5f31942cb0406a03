"""Every node answers, is the one it should be, and is not the other one."""

from __future__ import annotations

import secrets

import pytest

from harness.nodes import Node

pytestmark = pytest.mark.hardware

ENTRY_S = 10.0


def test_every_node_runs_a_command(nodes: tuple[Node, ...]) -> None:
    for node in nodes:
        ran = node.run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout_s=ENTRY_S)
        assert (ran.code, ran.stdout, ran.stderr) == (3, "out\n", "err\n"), node.spec.name


def test_nodes_are_different_machines(nodes: tuple[Node, ...]) -> None:
    """Two names for one machine would turn every exchange into loopback."""
    mark = f"/tmp/tcpx-harness-{secrets.token_hex(8)}"
    first, *others = nodes
    first.put(mark, b"here", timeout_s=ENTRY_S)
    try:
        for other in others:
            ran = other.run(["test", "-e", mark], timeout_s=ENTRY_S)
            assert ran.code == 1, f"{other.spec.name} sees a file of {first.spec.name}"
    finally:
        first.run(["rm", mark], timeout_s=ENTRY_S)


def test_every_node_can_run_roles(nodes: tuple[Node, ...]) -> None:
    for node in nodes:
        code = node.provision()
        ran = node.run(["test", "-f", f"{code}/harness/roles/server.py"], timeout_s=ENTRY_S)
        assert ran.code == 0, f"{node.spec.name} has no roles in {code}"


def test_clocks_are_measured_not_assumed(nodes: tuple[Node, ...]) -> None:
    """A node's clock may be anywhere, but the error of its measured offset is small and stated."""
    for node in nodes:
        first, second = node.leash().clock(), node.leash().clock()
        apart_s = abs(first.offset_s - second.offset_s)
        assert 0 < first.bound_s < 0.5, node.spec.name
        assert apart_s <= first.bound_s + second.bound_s + 0.01, node.spec.name
