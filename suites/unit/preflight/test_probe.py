"""The probe on a node's leash: its record, and what becomes of one that says nothing."""

from __future__ import annotations

from typing import Any, cast

import pytest

from harness.errors import PreflightError
from harness.evidence import NodeFacts
from harness.preflight import probe
from harness.preflight.probe import answer, ask
from suites.unit.preflight.nodes import Node, node
from suites.unit.roles.pair.stage import Actor


def asked(one: Node, plugin: str = "") -> tuple[NodeFacts, list[str]]:
    notes: list[str] = []
    with one.lease("run", wait_s=1.0):
        return answer(ask(cast(Any, one), one.nics, plugin), notes.append), notes


def test_it_is_started_with_the_nodes_nics_and_the_plugin() -> None:
    one = node("a")
    asked(one, "/lib/p.so")
    assert one.started[0][1:] == (
        "-m",
        "harness.roles.probe",
        "a",
        "eth0",
        "eth1=eth1",
        "/lib/p.so",
    )
    assert one.actors["probe"].env == {"PYTHONPATH": "/code"}


def test_other_words_are_kept_and_do_not_disturb() -> None:
    one = node("a")
    says = one.plays["probe"]

    def chatty(actor: Actor, line: str) -> None:
        actor.complains("a library's warning")
        actor.says("hello")
        says(actor, line)

    one.plays["probe"] = chatty
    found, notes = asked(one)
    assert found.node == "a"
    assert notes == ["probe on a: a library's warning", "probe on a: hello"]


def test_a_probe_that_dies_says_why() -> None:
    one = node("a")
    one.plays["probe"] = lambda actor, line: actor.exits(1, stderr="ModuleNotFoundError: psutil")
    with pytest.raises(PreflightError, match=r"a: .*ended with 1: ModuleNotFoundError: psutil"):
        asked(one)


def test_a_probe_that_ends_without_a_word_is_a_failure() -> None:
    one = node("a")
    one.plays["probe"] = lambda actor, line: actor.exits(0)
    with pytest.raises(PreflightError, match="the probe told nothing: it ended with 0"):
        asked(one)


def test_a_probe_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "PROBE_S", 0.05)
    one = node("a")
    one.plays["probe"] = lambda actor, line: None
    with pytest.raises(PreflightError, match=r"it did not end within 0\.05 s"):
        asked(one)
