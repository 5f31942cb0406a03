"""The plugin's file, fetched and examined: once for each content, held against every node."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.artefact import PIP, Artefact, Target, checks, is_available, read
from harness.errors import ArtefactError
from harness.evidence import NodeFacts, Note, Record
from harness.nodes import Node

FETCH_S = 60.0
REAL_NAMES = {"two-node-tcpx": "GPUDirectTCPX_v7"}  # tier -> what its plugin calls itself
ENVIRONMENT = "environment."


def examined(
    nodes: Sequence[Node],
    found: Sequence[NodeFacts],
    tier: str,
    write: Callable[[Record], object],
) -> list[str]:
    """What is wrong with the file, for each node; without pyelftools that it was not looked at."""
    if not is_available():
        write(Note(text=f"pyelftools is not installed: the plugin's file was not examined. {PIP}"))
        return []
    known: dict[str, Artefact] = {}
    problems = []
    for node, facts in zip(nodes, found, strict=True):
        digest = facts.facts.get("plugin.sha256", "")
        if not digest:  # there is no file, which has been said
            continue
        try:
            if digest not in known:
                known[digest] = _read(node, facts.facts["plugin.path"])
        except ArtefactError as error:
            problems.append(f"{facts.node}: {error}")
            continue
        problems += _wrong(known[digest], facts, tier)
    return problems


def _read(node: Node, path: str) -> Artefact:
    return read(node.get(path, timeout_s=FETCH_S), path)


def _wrong(artefact: Artefact, facts: NodeFacts, tier: str) -> list[str]:
    """Mount and chunk size are left out: the node's own facts have told of them."""
    target = Target(
        machine=facts.facts.get("kernel.machine", ""),
        libc=facts.facts.get("libc", ""),
        environment={},
        kind="plugin",
        net_name=REAL_NAMES.get(tier, ""),
    )
    found = [check for check in checks(artefact, target) if check.name != "chunk size"]
    return [f"{facts.node}: {artefact.path}: {check}" for check in found if not check.ok]
