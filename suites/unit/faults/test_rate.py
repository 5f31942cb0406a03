"""The fault on a real token bucket: a dummy NIC of a network namespace that ends with the test."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from harness.errors import NodeError
from harness.faults import slow
from suites.unit.faults.test_link import Namespace

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
pytestmark = pytest.mark.skipif(not shutil.which("tc", path=PATH), reason="needs tc of iproute2")


@pytest.fixture
def node():
    node = Namespace()
    try:
        node.ip("link", "add", "eth1", "type", "veth", "peer", "name", "eth2")
        tc(node, "qdisc add dev eth1 root tbf rate 1gbit burst 262144 latency 50ms")
        yield node
    finally:
        node.close()


def tc(node, words: str) -> str:
    ran = node.run(["tc", *words.split()], timeout_s=10)
    assert ran.code == 0, ran.stderr
    return ran.stdout


def bucket(node) -> dict[str, int]:
    (found,) = json.loads(tc(node, "-j qdisc show dev eth1"))
    return found["options"]


def test_the_nic_gets_a_share_of_its_rate_and_the_undo_gives_it_back(node):
    before = bucket(node)
    undo = slow(node, "eth1", 0.5)
    halved = bucket(node)
    assert halved.pop("rate") == before["rate"] // 2
    rest = {name: before[name] for name in halved}
    assert halved == pytest.approx(rest, rel=1e-3)  # the kernel keeps them as times, in ticks
    undo()
    assert bucket(node) == pytest.approx(before, rel=1e-3)
    assert bucket(node)["rate"] == before["rate"]


@pytest.mark.parametrize(
    ("nic", "said"), [("eth2", "no token bucket"), ("eth9", 'Cannot find device "eth9"')]
)
def test_a_nic_whose_rate_cannot_be_changed_is_named(node, nic, said):
    with pytest.raises(NodeError, match=f"a: cannot change the rate of {nic}: {nic}: .*{said}"):
        slow(node, nic, 0.5)
