"""Of a full mesh with one bad GPU, that GPU is named, and what the others did still stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.inventory import Inventory
from suites.faults.planted_run import Red, expect

pytestmark = pytest.mark.faults

PLANTED = "suites/faults/planted_mesh.py"
GPUS = 8
EXPECTED = {
    "test_one_gpu[astray]": Red("FAIL", "MAPPING", "{server}/gpu 2/eth2/channel 1", "eth1"),
    "test_one_gpu[damaged]": Red("FAIL", "BITFLIP", "{server}/gpu 5/eth3/channel 1/chunk 5"),
    "test_one_gpu[idle]": Red("FAIL", "HANG", "{server}/gpu 6"),
    "test_port_clash": Red("FAIL", "BOOTSTRAP", "{server}/gpu 4"),
}
# Where a GPU died without a word of its sockets, what its NIC carried for both is not explained.
OPEN = {"test_one_gpu[idle]": {7: "INCONCLUSIVE NO_EVIDENCE"}}


@pytest.mark.requires(paired_gpus=GPUS)
@pytest.mark.usefixtures("nodes")
@pytest.mark.parametrize("planted", EXPECTED)
def test_one_bad_gpu_is_named_and_no_other(
    planted: str, inventory: Inventory, tmp_path: Path
) -> None:
    red = EXPECTED[planted]
    expect(red, f"{PLANTED}::{planted}", inventory.nodes, inventory.tier, tmp_path)
    bad = int(red.place.split("/gpu ")[1].split("/")[0])
    wanted = dict.fromkeys(range(GPUS), "PASS") | OPEN.get(planted, {})
    assert _verdicts(tmp_path) == wanted | {bad: f"FAIL {red.klass}"}


def test_plans_that_share_a_port_are_refused_before_anything_runs(
    inventory: Inventory, tmp_path: Path
) -> None:
    red = Red("ERROR", "PLAN", "mesh", "several plans have port 20000")
    nodes = inventory.nodes
    expect(red, f"{PLANTED}::test_one_port_for_two", nodes, inventory.tier, tmp_path)


def _verdicts(folder: Path) -> dict[int, str]:
    """Each GPU's one verdict, as programs read it."""
    (file,) = folder.glob("reports/*/verdict.json")
    (mesh,) = json.loads(file.read_text())["meshes"]
    return {
        row["gpus"][0]: f"{row['judged']['outcome']} {row['judged']['klass']}".strip()
        for row in mesh["gpus"]
    }
