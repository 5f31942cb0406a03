from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.inventory import NodeSpec, TestbedSpec, load
from harness.testbed import handout, layout

NODES = layout.node_specs(TestbedSpec(), Path("/proc/1/root"))


def test_known_hosts_pins_each_node_by_address_and_name() -> None:
    lines = handout.known_hosts(NODES, ["ssh-ed25519 AAAA", "ssh-ed25519 BBBB"]).splitlines()
    assert lines == ["198.18.0.1,node-a ssh-ed25519 AAAA", "198.18.0.2,node-b ssh-ed25519 BBBB"]


def test_a_node_without_a_key_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="shorter"):
        handout.known_hosts(NODES, ["ssh-ed25519 AAAA"])


@pytest.mark.parametrize("name", ["node-b", "198.18.0.2"])
def test_ssh_understands_the_config(tmp_path: Path, name: str) -> None:
    (tmp_path / "config").write_text(handout.ssh_config(NODES, "/a folder/100%"))
    argv = ["ssh", "-G", "-F", str(tmp_path / "config"), name]
    ran = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=10)
    seen = dict(line.split(" ", 1) for line in ran.stdout.splitlines() if " " in line)
    assert seen["hostname"] == "198.18.0.2"
    assert seen["user"] == "root"
    assert seen["stricthostkeychecking"] in ("true", "yes")
    assert seen["proxyusefdpass"] == "yes"
    assert seen["identityfile"] == NODES[1].key
    assert "'/a folder/100%%'" in seen["proxycommand"]
    assert seen["proxycommand"].endswith(NODES[1].door)


def test_the_inventory_file_loads_as_the_same_nodes(tmp_path: Path) -> None:
    file = tmp_path / "inventory.toml"
    file.write_text(handout.inventory(NODES, "testbed"))
    assert load(file).nodes == NODES
    assert load(file).tier == "testbed"


def test_what_a_node_does_not_state_is_left_out() -> None:
    text = handout.inventory([NodeSpec(name="x", address="1.2.3.4")], "two-node")
    assert "key" not in text
    assert "environment" not in text
