"""The preflight: every node probed at once, all compared with the first, the plugin's file read.

What was read becomes a record a node, what came of it one PreflightEnded. Anything that must not be
stops the run here, before traffic, with the exact key, both values and both nodes. It runs once a
run under the nodes' leases, so that nobody else's exchange is disturbed or mistaken for a fact.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import InventoryError, PreflightError
from harness.evidence import LeaseReleased, NodeFacts, Note, PreflightEnded, Record
from harness.nodes import Node
from harness.preflight.plugin import examined
from harness.preflight.probe import answer, ask
from harness.verdict.fitness import absent_nics, unfit
from harness.verdict.parity import parity

LEASE_WAIT_S = 900.0  # a whole suite of somebody else's may be before us
MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What every node said, by its name."""

    facts: Mapping[str, NodeFacts]

    def fact(self, node: str, key: str, default: str = "") -> str:
        return self.facts[node].facts.get(key, default)


def preflight(
    nodes: Sequence[Node],
    *,
    owner: str,
    tier: str,
    write: Callable[[Record], object],
    plugin: str = "",
    may_differ: Mapping[str, str] | None = None,
) -> Preflight:
    """Probe `nodes` and compare them; PreflightError names all that must not be, InventoryError a
    NIC that is stated and is not there."""
    begun_s = time.monotonic()
    found = _probed(nodes, owner, plugin, write)
    for facts in found:
        write(facts)
    _require_nics(nodes, found)
    compared = parity(found, may_differ)
    problems = [f"{one}; {one.fix}" for one in compared.forbidden]
    for facts in found:
        reasons = unfit(facts, tier=tier, wants_plugin=bool(plugin))
        problems += [f"{facts.node}: {reason}" for reason in reasons]
    problems += examined(nodes, found, tier, write) if plugin else []
    ended = PreflightEnded(
        nodes=tuple(facts.node for facts in found),
        checked=compared.checked,
        duration_s=round(time.monotonic() - begun_s, 6),
        unknown=compared.unknown,
        allowed=tuple(str(one) for one in compared.disparities if one.allowed),
        problems=tuple(problems),
    )
    write(ended)
    if problems:
        raise _stopped(problems)
    return Preflight(facts={facts.node: facts for facts in found})


def _probed(
    nodes: Sequence[Node], owner: str, plugin: str, write: Callable[[Record], object]
) -> list[NodeFacts]:
    labels = nodes[0].spec.nic_names
    with contextlib.ExitStack() as held:
        for node in sorted(nodes, key=lambda node: node.spec.name):  # no two runs deadlock
            write(held.enter_context(node.leash().lease(owner, wait_s=LEASE_WAIT_S)))
            held.callback(write, LeaseReleased(node=node.spec.name))
        asked = [ask(node, labels, plugin) for node in nodes]
        return [answer(one, lambda text: write(Note(text=text))) for one in asked]


def _require_nics(nodes: Sequence[Node], found: Sequence[NodeFacts]) -> None:
    """A NIC that is not there is the inventory's mistake, and would differ in everything."""
    labels = nodes[0].spec.nic_names
    for facts in found:
        for label in absent_nics(facts):
            nic = facts.facts[f"nic.{label}.name"]
            raise InventoryError(
                "there is no such NIC",
                where=f"{facts.node}/{nic}/channel {labels.index(label)}",
                expected="the data NICs that the inventory states",
                fix=f"Correct the NICs of {facts.node} in the inventory: see `ip -br link` there",
            )


def _stopped(problems: Sequence[str]) -> PreflightError:
    shown = list(problems[:MOST_PROBLEMS])
    if len(problems) > MOST_PROBLEMS:
        shown.append(f"and {len(problems) - MOST_PROBLEMS} more in the journal")
    return PreflightError(
        "\n".join(shown),
        fix="What these nodes are meant to differ in goes into [may_differ] of the inventory",
    )
