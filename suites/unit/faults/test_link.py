"""The fault on a real NIC: `lo` of a network namespace that ends with the test."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from harness.errors import NodeError
from harness.faults import down
from harness.inventory import NicSpec, NodeSpec

ADDRESS = "198.18.1.1"
ROUTES = (  # what setting a NIC down loses: attributes, gateways and tables of their own
    "198.18.2.0/24 dev lo congctl cubic",
    "198.18.3.0/24 via 198.18.2.1 dev lo quickack 1",
    "198.18.4.0/24 dev lo table 101",
    f"198.18.5.0/24 dev lo src {ADDRESS}",
)


@dataclass
class Ran:
    code: int
    stdout: str
    stderr: str


class Namespace:
    """Reached as a node is: a spec, and `run`, which runs in the namespace for real."""

    spec = NodeSpec(
        name="a",
        address="a",
        python=sys.executable,
        management="eth0",
        nics=(NicSpec(name="lo"),),
    )

    def __init__(self) -> None:
        root = [] if os.geteuid() == 0 else ["-U", "-r"]
        argv = ["unshare", "-n", *root, "sh", "-c", "echo ready; cat"]
        self._holder = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        user = ["-U", "--preserve-credentials"] if root else []
        self._enter = ["nsenter", "-t", str(self._holder.pid), "-n", *user]

    def run(self, argv, *, timeout_s, stdin=b""):
        ran = subprocess.run(
            [*self._enter, *argv], input=stdin, capture_output=True, timeout=timeout_s, check=False
        )
        return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())

    def ip(self, *words: str) -> str:
        ran = self.run(["ip", "-4", *words], timeout_s=10)
        assert ran.code == 0, ran.stderr
        return ran.stdout

    def close(self) -> None:
        self._holder.communicate(timeout=10)


@pytest.fixture
def node():
    node = Namespace()
    try:
        node.ip("link", "set", "lo", "up")
        node.ip("address", "add", f"{ADDRESS}/24", "dev", "lo")
        for route in ROUTES:
            node.ip("route", "add", *route.split())
        yield node
    finally:
        node.close()


def routes(node) -> list[str]:
    return sorted(node.ip("route", "show", "table", "all").splitlines())


def is_up(node) -> bool:
    return "UP" in node.ip("-o", "link", "show", "lo").split(">")[0].split("<")[1].split(",")


def test_the_nic_goes_down_and_the_undo_brings_back_it_and_its_routes(node):
    before = routes(node)
    assert len(before) > len(ROUTES)
    undo = down(node, "lo")
    assert not is_up(node)
    assert not any("198.18.2.0" in route for route in routes(node))
    undo()
    assert is_up(node)
    assert routes(node) == before


def test_a_nic_that_is_down_already_cannot_be_a_fault(node):
    down(node, "lo")
    with pytest.raises(NodeError, match="a: cannot set lo down: lo is down already"):
        down(node, "lo")


def test_a_missing_nic_is_named(node):
    with pytest.raises(NodeError, match="cannot set eth9 down: eth9: no interface"):
        down(node, "eth9")


def test_the_management_nic_is_never_touched(node):
    with pytest.raises(NodeError, match="eth0 is the management NIC"):
        down(node, "eth0")


def test_a_route_that_cannot_be_put_back_is_an_error(node):
    undo = down(node, "lo")
    node.ip("address", "flush", "dev", "lo")
    with pytest.raises(NodeError, match=r"cannot set lo up: lo: .*the kernel refused a route"):
        undo()
