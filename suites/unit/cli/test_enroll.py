"""`enroll` decides what to pin; fetching real keys is tested against sshd."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from harness.cli import enroll
from harness.errors import InventoryError
from harness.inventory.spec import NodeSpec
from harness.nodes.known_hosts import HostKey, lookup, pin
from harness.nodes.resolve import Hop

KEY, OLD = HostKey("ssh-ed25519", b"key"), HostKey("ssh-ed25519", b"old")


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "known_hosts")


@pytest.fixture(autouse=True)
def shown(monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    """Every host shows KEY."""

    def fetch(spec: NodeSpec, timeout_s: float) -> object:
        hop = Hop(original=spec.address, host=spec.address, port=spec.port or 22, user="")
        return hop, KEY, lookup([spec.known_hosts or file], enroll.pinned_name(hop))

    monkeypatch.setattr(enroll, "fetch_host_key", fetch)
    monkeypatch.setattr("builtins.input", nobody)


def nobody(_: str) -> str:
    raise EOFError


def enrolled(*words: str) -> int:
    parser = argparse.ArgumentParser()
    enroll.add_arguments(parser)
    return enroll.run(parser.parse_args(list(words)))


def test_several_hosts_are_pinned_once(file: str) -> None:
    assert enrolled("one", "two:2222", "one", "--yes") == enroll.PINNED
    assert enrolled("one", "--yes") == enroll.PINNED
    names = [line.split()[0] for line in Path(file).read_text().splitlines()]
    assert names == ["one", "[two]:2222"]


def test_nobody_to_ask_means_no(file: str) -> None:
    assert enrolled("one") == enroll.LEFT
    assert not Path(file).exists()


def test_changed_key_needs_replace(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    pin(file, "one", OLD)
    assert enrolled("one", "--yes") == enroll.LEFT
    assert OLD.fingerprint in capsys.readouterr().out
    assert lookup([file], "one").keys == (OLD,)
    assert enrolled("one", "--yes", "--replace") == enroll.PINNED
    assert lookup([file], "one").keys == (KEY,)


def test_revoked_key_is_never_pinned(file: str) -> None:
    pin(file, "@revoked *", KEY)
    assert enrolled("one", "--yes", "--replace") == enroll.LEFT
    assert lookup([file], "one").keys == ()


def test_named_file_is_used(tmp_path: Path, file: str) -> None:
    other = str(tmp_path / "other")
    assert enrolled("one", "--yes", "--known-hosts", other) == enroll.PINNED
    assert lookup([other], "one").keys == (KEY,)
    assert not Path(file).exists()


def test_no_host_is_an_error() -> None:
    with pytest.raises(InventoryError, match="no host to enroll"):
        enrolled()
