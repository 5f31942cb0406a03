"""The plugin's file, fetched once and held against every node."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, cast

import pytest

from harness.evidence import NodeFacts, Note, Record
from harness.preflight import plugin
from harness.preflight.plugin import examined
from suites.unit.artefact import objects
from suites.unit.artefact.objects import built, needs_compiler
from suites.unit.preflight.nodes import FACTS, Node, node

PATH = "/lib/p.so"


def facts(name: str, data: bytes, **changed: str) -> NodeFacts:
    own = {"plugin.path": PATH, "plugin.sha256": hashlib.sha256(data).hexdigest()}
    return NodeFacts(node=name, facts={**FACTS, "libc": "glibc 2.99", **own, **changed})


def wrong(nodes: list[Node], found: list[NodeFacts], tier: str = "two-node") -> list[str]:
    return examined(cast(Any, nodes), found, tier, lambda record: None)


@needs_compiler
def test_a_sound_plugin_is_fetched_once(tmp_path: Path) -> None:
    data = built(tmp_path, objects.PLUGIN)
    nodes = [node("a", files={PATH: data}), node("b")]  # b's is not even looked for
    assert wrong(nodes, [facts("a", data), facts("b", data)]) == []


@needs_compiler
def test_what_is_wrong_is_told_of_every_node_it_is_wrong_for(tmp_path: Path) -> None:
    data = built(tmp_path, objects.PLUGIN)
    nodes = [node("a", files={PATH: data}), node("b")]
    found = [facts("a", data), facts("b", data, libc="glibc 2.1")]
    (told,) = wrong(nodes, found)
    assert told.startswith("b: /lib/p.so: libc: needs glibc 2.")


@needs_compiler
def test_the_vendors_tier_wants_the_vendors_plugin(tmp_path: Path) -> None:
    data = built(tmp_path, objects.PLUGIN)
    (told,) = wrong([node("a", files={PATH: data})], [facts("a", data)], "two-node-tcpx")
    assert told.startswith("a: /lib/p.so: net name: Small_v7; expected GPUDirectTCPX_v7")


def test_a_file_that_is_no_plugin_is_named() -> None:
    data = b"#!/bin/sh\n"
    (told,) = wrong([node("a", files={PATH: data})], [facts("a", data)])
    assert told.startswith("a: /lib/p.so: cannot be read as ELF")


def test_without_the_library_it_is_said_that_nobody_looked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plugin, "is_available", lambda: False)
    records: list[Record] = []
    assert examined(cast(Any, [node("a")]), [facts("a", b"")], "two-node", records.append) == []
    (note,) = records
    assert isinstance(note, Note)
    assert "the plugin's file was not examined. Run: pip install" in note.text
