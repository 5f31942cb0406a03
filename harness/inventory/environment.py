"""The environment of the nodes' roles, put together once, before anything runs.

Three layers: a preset at the bottom, what the inventory states over it, and on top the debug
switches of whoever starts the run. The result stands in the inventory, and so in the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.inventory.spec import Inventory, NodeSpec
from harness.preset import debug_switches, load


def dressed(inventory: Inventory, preset: str | None, environ: Mapping[str, str]) -> Inventory:
    """The inventory with every node's whole environment; `preset` wins over the nodes' own."""
    nodes = tuple(_dressed(node, preset or node.preset, environ) for node in inventory.nodes)
    return replace(inventory, nodes=nodes)


def _dressed(node: NodeSpec, preset: str, environ: Mapping[str, str]) -> NodeSpec:
    below = load(preset).resolved(environ) if preset else {}
    environment = {**below, **node.environment, **debug_switches(environ)}
    return replace(node, environment=environment, preset=preset)
