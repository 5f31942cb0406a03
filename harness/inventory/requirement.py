"""What a suite needs of an inventory, asked before anything is built or reached."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

from harness.errors import InventoryError
from harness.inventory.spec import TIERS, Inventory

GPU_TIER = TIERS[1]
ADMIN_PATH = ":/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """At least so many nodes, each with at least so many data NICs, of at least this tier."""

    nodes: int = 2
    nics_per_node: int = 1
    tier: str = TIERS[0]
    stated_rate: bool = False  # every data NIC's rate is known, so that a speed can be judged
    gpus_per_node: int = 0  # that are there; a testbed without device memory only states some
    paired_gpus: int = 0  # of each node, stated with a data NIC; they need not be there
    shaped: bool = False  # a testbed shapes every data NIC, and tc is there to change its rate

    def satisfied_by(self, inventory: Inventory) -> str | None:
        """None if it is; otherwise the first reason why not, as a person would say it."""
        if not tier_at_least(inventory, self.tier):
            return f"needs tier {self.tier} or better, {inventory.source} is {inventory.tier}"
        nics = _nics_per_node(inventory)
        if len(nics) < self.nodes:
            return f"needs {self.nodes} nodes, {inventory.source} has {len(nics)}"
        for name, count in nics.items():
            if count < self.nics_per_node:
                return f"needs {self.nics_per_node} data NICs a node, {name} has {count}"
        if self.gpus_per_node and (lacking := _lacking_gpus(inventory, self.gpus_per_node)):
            return lacking
        for name, count in _paired_gpus(inventory).items():
            if count < self.paired_gpus:
                return f"needs {self.paired_gpus} GPUs with a NIC a node, {name} has {count}"
        if self.stated_rate and not _rates_stated(inventory):
            return f"needs the rate_gbit_s of every data NIC, {inventory.source} leaves it open"
        return _unshaped(inventory) if self.shaped else None


def _lacking_gpus(inventory: Inventory, wanted: int) -> str | None:
    if not tier_at_least(inventory, GPU_TIER):
        return f"needs the nodes' GPUs, {inventory.source} of tier {inventory.tier} has none"
    if inventory.testbed:  # the machine's, which are shared out when it is built
        return None
    found = {node.name: len(node.gpus) for node in inventory.nodes}
    short = [f"{name} has {count}" for name, count in found.items() if count < wanted]
    return f"needs {wanted} GPUs a node, {short[0]}" if short else None


def _unshaped(inventory: Inventory) -> str | None:
    """Why no NIC's rate can be changed. The nodes of a testbed have this machine's programs."""
    if not inventory.tier.startswith("testbed") or not _rates_stated(inventory):
        return f"needs a testbed that shapes its data NICs, {inventory.source} does not"
    if not shutil.which("tc", path=os.environ.get("PATH", "") + ADMIN_PATH):
        return "needs tc of iproute2 to change a NIC's rate, this machine has none"
    return None


def _rates_stated(inventory: Inventory) -> bool:
    if inventory.testbed:
        return inventory.testbed.rate_gbit_s > 0
    return all(nic.rate_gbit_s > 0 for node in inventory.nodes for nic in node.nics)


def _nics_per_node(inventory: Inventory) -> dict[str, int]:
    if inventory.testbed:
        return {f"node {i}": inventory.testbed.rails for i in range(inventory.testbed.nodes)}
    return {node.name: len(node.nics) for node in inventory.nodes}


def _paired_gpus(inventory: Inventory) -> dict[str, int]:
    if inventory.testbed:
        return {f"node {i}": inventory.testbed.gpus for i in range(inventory.testbed.nodes)}
    return {
        node.name: sum(gpu.nic in node.nic_names for gpu in node.gpus) for node in inventory.nodes
    }


def tier_at_least(inventory: Inventory, tier: str) -> bool:
    """Whether the inventory's tier is `tier` or stronger."""
    if tier not in TIERS:
        raise InventoryError(f"unknown tier {tier!r}", expected=f"one of {', '.join(TIERS)}")
    return TIERS.index(inventory.tier) >= TIERS.index(tier)
