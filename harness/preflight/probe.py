"""The controller's side of the probe: start it on a node's leash, and take its one record."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.errors import EvidenceError, PreflightError
from harness.evidence import NodeFacts, Record, decode
from harness.inventory import NodeSpec
from harness.nodes import Event, Line, Node

PROBE_S = 45.0  # it takes 0.2 s; a GPU's driver may have to be loaded first
MAX_EVENTS = 4096


@dataclass(slots=True)
class Asked:
    """A probe that runs."""

    node: Node
    events: queue.Queue[Event]


def ask(node: Node, labels: Sequence[str], plugin: str) -> Asked:
    """Start the probe: `labels` are what the node's NICs are called in facts."""
    spec = node.spec
    events: queue.Queue[Event] = queue.Queue(MAX_EVENTS)
    pairs = ",".join(f"{label}={nic}" for label, nic in zip(labels, spec.nic_names, strict=False))
    command = [spec.python, "-m", "harness.roles.probe", spec.name, spec.management, pairs]
    node.leash().start(
        "probe",
        [*command, plugin] if plugin else command,
        events=events,
        env={"PYTHONPATH": node.provision()},
        deadline_s=PROBE_S,
        cpus=spec.cpus,
    )
    return Asked(node, events)


def answer(asked: Asked, note: Callable[[str], object]) -> NodeFacts:
    """The probe's record, with what only the controller knows; its other words go to `note`."""
    found = _heard(asked, note)
    spec, clock = asked.node.spec, asked.node.leash().clock()
    more = {"nic.count": str(len(spec.nics)), "clock.wall_offset_s": f"{clock.wall_offset_s:.6f}"}
    return replace(found, facts={**found.facts, **more})


def _heard(asked: Asked, note: Callable[[str], object]) -> NodeFacts:
    spec, found = asked.node.spec, None
    deadline = time.monotonic() + PROBE_S
    while (left_s := deadline - time.monotonic()) > 0:
        try:
            event = asked.events.get(timeout=left_s)
        except queue.Empty:
            break
        if isinstance(event, Line):
            found = found or _record(event, note)
        elif isinstance(found, NodeFacts) and event.record.code == 0:
            return found
        else:
            raise _failed(spec, f"it ended with {event.record.code}: {event.record.stderr_tail}")
    raise _failed(spec, f"it did not end within {PROBE_S:g} s")


def _record(line: Line, note: Callable[[str], object]) -> Record | None:
    try:
        record = decode(json.loads(line.text))
    except (ValueError, EvidenceError):
        note(f"probe on {line.node}: {line.text}")
        return None
    return record if isinstance(record, NodeFacts) else None


def _failed(spec: NodeSpec, how: str) -> PreflightError:
    return PreflightError(
        f"the probe told nothing: {how.strip()}",
        expected="one NodeFacts record",
        where=spec.name,
        fix=f"Run there, with the roles' code on PYTHONPATH: {spec.python} -m harness.roles.probe",
    )
