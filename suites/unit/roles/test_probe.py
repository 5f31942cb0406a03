"""The probe's one line."""

from __future__ import annotations

import json

import pytest

from harness.evidence import NodeFacts, decode
from harness.roles.probe import main


def test_it_says_one_record(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["node-a", "eth0", "eth1=lo"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    record = decode(json.loads(line))
    assert isinstance(record, NodeFacts)
    assert record.node == "node-a"
    assert record.facts["nic.eth1.name"] == "lo"
    assert record.facts["devmem.vendor"] in ("yes", "no")
    assert 0 < record.cost_s < 20
    assert not set(record.facts) & set(record.unknown)


def test_it_looks_at_the_plugin_that_it_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["node-a", "eth0", "eth1=lo", "/nowhere/p.so"]) == 0
    record = decode(json.loads(capsys.readouterr().out))
    assert isinstance(record, NodeFacts)
    assert record.facts["plugin.path"] == "/nowhere/p.so"


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["a", "b", "c=d", "e", "f"]])
def test_it_refuses_what_it_does_not_understand(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("usage: ")
