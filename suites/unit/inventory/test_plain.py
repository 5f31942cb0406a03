from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import InventoryError
from harness.inventory import load


@pytest.fixture
def write(tmp_path):
    def write(text: str) -> Path:
        file = tmp_path / "nodes.txt"
        file.write_text(text)
        return file

    return write


def test_an_address_a_line_first_the_server(write):
    inventory = load(write("# the lab\n\n10.0.0.1\n  10.0.0.2  # the client\n"))
    assert inventory.tier == "two-node"
    assert [node.address for node in inventory.nodes] == ["10.0.0.1", "10.0.0.2"]
    server = inventory.nodes[0]
    assert server.name == "10.0.0.1"
    assert server.nic_names == ("eth1", "eth2", "eth3", "eth4")
    assert server.management == "eth0"


@pytest.mark.parametrize(
    ("line", "user", "address", "port"),
    [
        ("gpu-1.lab", "", "gpu-1.lab", 0),
        ("hil@gpu1", "hil", "gpu1", 0),
        ("hil@gpu1:2222", "hil", "gpu1", 2222),
        ("gpu1:22", "", "gpu1", 22),
        ("fd00::12", "", "fd00::12", 0),
        ("hil@[fd00::12]:22", "hil", "fd00::12", 22),
        ("[fe80::1%eth0]", "", "fe80::1%eth0", 0),
    ],
)
def test_user_and_port_may_stand_around_the_address(write, line, user, address, port):
    node = load(write(f"{line}\nother\n")).nodes[0]
    assert (node.user, node.address, node.port) == (user, address, port)


@pytest.mark.parametrize("line", ["-oProxyCommand=x", "a b", "a:b", "a:0", "a:70000", "@a", "[a"])
def test_a_line_that_is_no_address_is_named_by_number(write, line):
    with pytest.raises(InventoryError) as caught:
        load(write(f"one\ntwo\n{line}\n"))
    assert f"nodes.txt: line 3: {line!r}; expected [user@]address[:port]" in caught.value.seen


def test_a_second_time_the_same_address_is_refused(write):
    with pytest.raises(InventoryError, match="line 3: hil@a is line 1's already"):
        load(write("a\nb\nhil@a\n"))


def test_forwarded_ports_make_two_nodes_of_one_address(write):
    names = [node.name for node in load(write("bastion:2201\nbastion:2202\n")).nodes]
    assert names == ["bastion:2201", "bastion:2202"]


@pytest.mark.parametrize("text", ["", "# none\n", "a\n"])
def test_fewer_than_two_nodes_are_refused(write, text):
    with pytest.raises(InventoryError, match="expected at least 2 addresses"):
        load(write(text))
