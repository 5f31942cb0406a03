"""Every planted fault turns the run red, with its class, node, NIC and channel, everywhere alike.

Each runs in a pytest of its own against the nodes of this run: what is checked is what a person or
a CI system gets, which is the exit code, our JUnit file and pytest's.
"""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.inventory import Inventory, NicSpec, NodeSpec
from harness.testbed.handout import inventory as inventory_text

pytestmark = pytest.mark.faults

PLANTED = "suites/faults/planted.py"
PROJECT = Path(__file__).parents[2]
RUN_S = 90.0
CATEGORY = {"FAIL": "failure", "ERROR": "error", "INCONCLUSIVE": "error", "SKIP": "skipped"}


@dataclass(frozen=True)
class Case:
    """One test case of a JUnit file."""

    name: str
    classname: str
    category: str
    klass: str
    message: str


@dataclass(frozen=True)
class Red:
    """What a planted fault must be called, and words of its fact. `place` has {server} and {client}
    for node names."""

    outcome: str
    klass: str
    place: str = ""
    says: str = ""


EXPECTED = {
    "test_fault[one_nic]": Red("FAIL", "MAPPING", "{server}/eth2/channel 1"),
    "test_fault[swap_nics]": Red("FAIL", "MAPPING", "{server}/eth1/channel 0"),
    "test_fault[flip]": Red("FAIL", "BITFLIP", "{server}/eth2/channel 1/chunk 5"),
    "test_fault[drop]": Red("FAIL", "MISSING", "{server}/eth3/channel 2/chunk 6"),
    "test_fault[withhold]": Red("FAIL", "STALL", "{server}/eth4/channel 3"),
    "test_fault[swap]": Red("FAIL", "SWAP", "{server}/eth3/channel 2/chunk 2"),
    "test_fault[stale]": Red("FAIL", "STALE", "{server}/eth2/channel 1/chunk 9"),
    "test_fault[short]": Red("FAIL", "LEDGER", "{server}/eth1/channel 0"),
    "test_fault[exit]": Red("FAIL", "ROLE_EXIT", "{server}"),
    "test_fault[hang]": Red("FAIL", "HANG", "{server}"),
    "test_fault[die]": Red("FAIL", "ROLE_CRASH", "{server}"),
    "test_fault[blind]": Red("INCONCLUSIVE", "UNVERIFIED", "{server}/eth1/channel 0"),
    "test_loopback": Red("FAIL", "LOOPBACK", "{server}/lo/channel 0"),
    "test_link_down[round-robin]": Red("FAIL", "LINK_DOWN", "{client}/eth3/channel 2"),
    "test_link_down[least-loaded]": Red("FAIL", "LINK_DOWN", "{client}/eth3/channel 2"),
    "test_program[short]": Red("FAIL", "LEDGER", "{server}", "17 of 128 chunks"),
    "test_program[short_old]": Red("FAIL", "LEDGER", "{server}", "17 of 128 chunks"),
    "test_program[admits]": Red("FAIL", "LEDGER", "{server}"),
    "test_program[one_nic]": Red("FAIL", "MAPPING", "{server}/eth2/channel 1", "NO_PARALLELISM"),
    "test_program[one_nic_old]": Red(
        "FAIL", "MAPPING", "{server}/eth2/channel 1", "NO_PARALLELISM"
    ),
    "test_program[says_one_nic]": Red("FAIL", "MAPPING", "{server}/eth2/channel 1"),
    "test_program[fallback]": Red("FAIL", "MAPPING", "{server}/eth1/channel 0", "-1000"),
    "test_program[average]": Red("FAIL", "FIGURES", "{server}", "of all 2 iterations"),
    "test_program[fast]": Red("FAIL", "TOO_FAST", "{server}"),
    "test_program[aborted]": Red("FAIL", "ITERATION", "{server}", "iteration 2 of 2"),
    "test_program[status]": Red("FAIL", "ROLE_EXIT", "{server}"),
    "test_program[crash]": Red("FAIL", "ROLE_CRASH", "{server}"),
    "test_program[stuck]": Red("FAIL", "HANG", "{server}"),
    "test_program[fails]": Red("FAIL", "PROGRAM", "{server}"),
    "test_program[silent]": Red("FAIL", "LEDGER", "{server}"),
    "test_program[no_words]": Red("FAIL", "PROGRAM", "{server}"),
    "test_program_that_is_absent": Red("ERROR", "INFRA_PROVISION", "{server}"),
    "test_program_that_verifies_nothing": Red(
        "INCONCLUSIVE", "UNVERIFIED", "{server}/eth1/channel 0"
    ),
    "test_program_whose_sockets_name_no_bytes": Red(
        "INCONCLUSIVE", "NO_EVIDENCE", "{server}/eth1/channel 0"
    ),
    "test_port_squatter": Red("FAIL", "BOOTSTRAP", "{server}"),
    "test_slow": Red("FAIL", "SLOW"),
    "test_caught": Red("ERROR", "CAUGHT", "{server}/eth2/channel 1/chunk 5"),
    "test_unsettled": Red("ERROR", "UNSETTLED"),
    "test_unplanned_skip": Red("ERROR", "UNPLANNED_SKIP"),
}


@pytest.mark.parametrize("planted", EXPECTED)
def test_planted_fault_is_named(planted: str, inventory: Inventory, tmp_path: Path) -> None:
    _expect(EXPECTED[planted], planted, inventory.nodes, inventory.tier, tmp_path)


def test_unreachable_node_is_named(inventory: Inventory, tmp_path: Path) -> None:
    server, client = inventory.nodes[:2]
    gone = replace(client, address="127.0.0.1", port=1, door="", ssh_config="")
    red = Red("ERROR", "INFRA_SSH", "{client}")
    _expect(red, "test_plain_exchange", (server, gone), inventory.tier, tmp_path)


def test_changed_host_key_is_named(inventory: Inventory, tmp_path: Path) -> None:
    server, client = inventory.nodes[:2]
    pins = tmp_path / "known_hosts"
    line = next(
        line
        for line in Path(client.known_hosts).read_text().splitlines()
        if server.address in line.split()[0].split(",")
    )
    pins.write_text(f"{client.address} {line.split(maxsplit=1)[1]}\n")
    changed = replace(client, known_hosts=str(pins))
    red = Red("ERROR", "INFRA_HOSTKEY", "{client}")
    _expect(red, "test_plain_exchange", (server, changed), inventory.tier, tmp_path)


def test_missing_nic_is_named(inventory: Inventory, tmp_path: Path) -> None:
    server, client = inventory.nodes[:2]
    lacking = replace(client, nics=(*client.nics[:3], NicSpec(name="eth9")), gpus=())
    red = Red("ERROR", "INVENTORY", "{client}/eth9/channel 3")
    _expect(red, "test_plain_exchange", (server, lacking), inventory.tier, tmp_path)


def test_a_healthy_exchange_is_green(inventory: Inventory, tmp_path: Path) -> None:
    """The control: what the faults are planted in passes by itself."""
    code, ours, theirs = _run("test_plain_exchange", inventory.nodes, inventory.tier, tmp_path)
    assert (code, ours.category, theirs.category) == (0, "", "")


def _expect(red: Red, planted: str, nodes: Sequence[NodeSpec], tier: str, folder: Path) -> None:
    code, ours, theirs = _run(planted, nodes, tier, folder)
    place = red.place.format(server=nodes[0].name, client=nodes[1].name)
    head = f"{red.klass} {place}:" if place else f"{red.klass}:"
    word = "" if red.outcome == "FAIL" else f"{red.outcome} "
    seen = f"{ours.message}\nexpected to begin with {word}{head}"
    assert code == 1, seen
    assert ours.category == CATEGORY[red.outcome], seen
    assert ours.klass == red.klass, seen
    assert ours.message.startswith(word + head), seen
    assert red.says in ours.message, seen
    assert (theirs.name, theirs.classname) == (ours.name, ours.classname)
    assert theirs.category == ours.category, seen
    assert head in theirs.message, theirs.message


def _run(
    planted: str, nodes: Sequence[NodeSpec], tier: str, folder: Path
) -> tuple[int, Case, Case]:
    """Exit code, and the one case of our JUnit file and of pytest's."""
    nodes_file = folder / "nodes.toml"
    nodes_file.write_text(inventory_text(nodes, tier))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["--hil-nodes", str(nodes_file), "--hil-reports", str(folder / "reports")]
    command += ["--junitxml", str(folder / "pytest.xml"), f"{PLANTED}::{planted}"]
    ran = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=RUN_S, check=False
    )
    files = [*folder.glob("reports/*/junit.xml"), folder / "pytest.xml"]
    assert len(files) == 2, ran.stdout + ran.stderr
    ours, theirs = (_only_case(file) for file in files)
    return ran.returncode, ours, theirs


def _only_case(file: Path) -> Case:
    (case,) = ET.parse(file).iter("testcase")
    bad = next((child for child in case if child.tag in CATEGORY.values()), None)
    return Case(
        name=case.get("name", ""),
        classname=case.get("classname", ""),
        category="" if bad is None else bad.tag,
        klass="" if bad is None else bad.get("type", ""),
        message="" if bad is None else bad.get("message", ""),
    )
