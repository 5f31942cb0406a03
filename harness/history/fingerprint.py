"""A testbed's fingerprint: all that makes two nights' figures comparable, part by part.

The topology says which machines these are: tier, nodes, CPUs, NICs with their stated rates and
MTU, GPUs. The makeup says what runs on them: kernel, drivers, firmware, plugin, environment. Two
nights of one fingerprint may be compared; of two nights that share the topology alone, the parts
say what came between them. What nobody could read is no part, so that a run without a preflight
has a fingerprint of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import EvidenceError
from harness.evidence import Entry, NodeFacts, RunStarted
from harness.history.digest import digest

NONE = "none"  # what a fact says when it was read and there is nothing
CPU_FACTS = ("cpu.model", "cpu.online")
MAKEUP_FACTS = {
    "kernel.release": "kernel",
    "gpu.driver": "gpu.driver",
    "plugin.sha256": "plugin",
}
Parts = dict[str, str]
Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that two fingerprints have differently; '' where one of them lacks it."""

    part: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """Parts by their names, `node-a.nic.eth1.firmware` for one."""

    topology: Parts
    makeup: Parts

    @property
    def digest(self) -> str:
        return digest([self.topology, self.makeup])

    @property
    def topology_digest(self) -> str:
        return digest(self.topology)

    @property
    def parts(self) -> Parts:
        return self.topology | self.makeup

    @property
    def nodes(self) -> tuple[str, ...]:
        return tuple(filter(None, self.topology.get("nodes", "").split(",")))


def differences(before: Fingerprint, after: Fingerprint) -> tuple[Difference, ...]:
    """What came between the two, in the order of the parts' names."""
    old, new = before.parts, after.parts
    return tuple(
        Difference(part, old.get(part, ""), new.get(part, ""))
        for part in sorted({*old, *new})
        if old.get(part) != new.get(part)
    )


def told(found: Sequence[Difference]) -> list[str]:
    """A line for each change, however many NICs and nodes it came to."""
    places: dict[tuple[str, str, str], list[str]] = {}
    for one in found:
        place, _, what = one.part.rpartition(".")
        places.setdefault((what, one.before, one.after), []).append(place)
    return [
        f"{what} {before or 'unknown'} -> {after or 'unknown'}{_where(where)}"
        for (what, before, after), where in places.items()
    ]


def _where(places: Sequence[str]) -> str:
    named = [place for place in places if place]
    if not named:
        return ""
    more = f" and {len(named) - 1} more" if len(named) > 1 else ""
    return f" ({named[0]}{more})"


def fingerprint(entries: Sequence[Entry]) -> Fingerprint:
    """Of the testbed of a run."""
    started = run_started(entries)
    facts = {e.record.node: e.record.facts for e in entries if isinstance(e.record, NodeFacts)}
    nodes = [node for node in started.inventory.get("nodes", ()) if isinstance(node, dict)]
    topology = {"tier": started.tier, "nodes": ",".join(_name(node) for node in nodes)}
    makeup: Parts = {}
    for node in nodes:
        known = facts.get(_name(node), {})
        topology |= _under(_name(node), _place(node, known))
        makeup |= _under(_name(node), _makeup(node, known))
    return Fingerprint(topology=topology, makeup=makeup)


def run_started(entries: Sequence[Entry]) -> RunStarted:
    """How the run began; without that nobody knows what was measured."""
    for entry in entries:
        if isinstance(entry.record, RunStarted):
            return entry.record
    raise EvidenceError("the journal has no beginning: no RunStarted in it")


def _name(node: Node) -> str:
    return str(node.get("name", "?"))


def _under(name: str, parts: Iterator[tuple[str, str]]) -> Parts:
    return {f"{name}.{part}": value for part, value in parts}


def _place(node: Node, facts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    nics = node.get("nics", ())
    yield "nics", ",".join(str(nic.get("name", "?")) for nic in nics)  # channels take them in turn
    for nic in nics:
        yield f"nic.{nic.get('name', '?')}.rate_gbit_s", f"{nic.get('rate_gbit_s', 0):g}"
        yield f"nic.{nic.get('name', '?')}.mtu", str(nic.get("mtu", 0))
    for gpu in node.get("gpus", ()):
        index = gpu.get("index", "?")
        yield f"gpu.{index}", f"near {gpu.get('nic') or 'no NIC'}"
        if model := facts.get(f"gpu.{index}.name"):
            yield f"gpu.{index}.model", model
    for fact in CPU_FACTS:
        if fact in facts:
            yield fact, facts[fact]


def _makeup(node: Node, facts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for fact, part in MAKEUP_FACTS.items():
        if facts.get(fact, NONE) != NONE:
            yield part, facts[fact]
    for key, value in facts.items():
        nic, _, what = key.rpartition(".")
        if nic.startswith("nic.") and what == "driver":
            yield key, f"{value} {facts.get(f'{nic}.driver_version', '')}".strip()
        elif nic.startswith("nic.") and what == "firmware":
            yield key, value
    for name, value in sorted(node.get("environment", {}).items()):
        yield f"environment.{name}", str(value)
