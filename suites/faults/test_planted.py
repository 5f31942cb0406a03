"""Every planted fault turns the run red, with its class, node, NIC and channel, everywhere alike.

Each runs in a pytest of its own against the nodes of this run: what is checked is what a person or
a CI system gets, which is the exit code, our JUnit file and pytest's.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.asked import require_own
from harness.inventory import Inventory, NicSpec
from harness.plan import Plan
from suites.faults.planted_run import Red, expect, run

pytestmark = pytest.mark.faults

PLANTED = "suites/faults/planted.py"
PLAIN = f"{PLANTED}::test_plain_exchange"

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
def test_planted_fault_is_named(
    planted: str, inventory: Inventory, plan: Plan, tmp_path: Path
) -> None:
    if planted.startswith("test_program"):
        require_own(plan, planted)
    red, test = EXPECTED[planted], f"{PLANTED}::{planted}"
    expect(red, test, inventory.nodes, inventory.tier, tmp_path, "--hil-memory", plan.memory)


def test_unreachable_node_is_named(inventory: Inventory, tmp_path: Path) -> None:
    server, client = inventory.nodes[:2]
    gone = replace(client, address="127.0.0.1", port=1, door="", ssh_config="")
    red = Red("ERROR", "INFRA_SSH", "{client}")
    expect(red, PLAIN, (server, gone), inventory.tier, tmp_path)


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
    expect(red, PLAIN, (server, changed), inventory.tier, tmp_path)


def test_missing_nic_is_named(inventory: Inventory, tmp_path: Path) -> None:
    server, client = inventory.nodes[:2]
    lacking = replace(client, nics=(*client.nics[:3], NicSpec(name="eth9")), gpus=())
    red = Red("ERROR", "INVENTORY", "{client}/eth9/channel 3")
    expect(red, PLAIN, (server, lacking), inventory.tier, tmp_path)


def test_a_healthy_exchange_is_green(inventory: Inventory, plan: Plan, tmp_path: Path) -> None:
    """The control: what the faults are planted in passes by itself."""
    memory = ("--hil-memory", plan.memory)
    code, ours, theirs = run(PLAIN, inventory.nodes, inventory.tier, tmp_path, *memory)
    assert (code, ours.category, theirs.category) == (0, "", "")
