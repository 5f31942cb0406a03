"""Who there is: specs, and the only reader of `node_ips/`."""

from harness.inventory.environment import dressed
from harness.inventory.load import find, load
from harness.inventory.requirement import Requirement, tier_at_least
from harness.inventory.spec import TIERS, GpuSpec, Inventory, NicSpec, NodeSpec, TestbedSpec

__all__ = [
    "TIERS",
    "GpuSpec",
    "Inventory",
    "NicSpec",
    "NodeSpec",
    "Requirement",
    "TestbedSpec",
    "dressed",
    "find",
    "load",
    "tier_at_least",
]
