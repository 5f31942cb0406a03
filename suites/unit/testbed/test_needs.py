from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.errors import TestbedError
from harness.testbed import needs
from harness.testbed.needs import Check


def test_sshd_is_found_where_path_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sshd").write_text("#!/bin/sh\n")
    (tmp_path / "sshd").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert needs.find_sshd() == f"{tmp_path}/sshd"


def test_a_missing_ssh_client_is_named_with_its_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    check = needs.ssh()
    assert not check.ok
    assert check.seen == "no ssh and no ssh-keygen on PATH"
    assert "doctor --install" in check.fix


def test_everything_that_is_missing_is_in_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "root", lambda: lacking("root", "Be root"))
    monkeypatch.setattr(needs, "sshd", lambda: lacking("sshd", "Install it"))
    monkeypatch.setattr(needs, "ssh", lambda: lacking("ssh client", "Install it"))
    with pytest.raises(TestbedError) as caught:
        needs.require()
    assert str(caught.value) == (
        "the testbed cannot be built: root: absent; sshd: absent; ssh client: absent. "
        "Be root. Install it"
    )


def test_a_kernel_that_could_not_be_asked_is_not_called_unfit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'Traceback:\nModuleNotFoundError: pyroute2' >&2; exit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    (check,) = needs.kernel()
    assert not check.ok
    assert check.seen == "could not be asked: ModuleNotFoundError: pyroute2"
    assert "Get what else is missing" in check.fix


def lacking(name: str, fix: str) -> Check:
    return Check(name=name, what_for="a test", ok=False, seen="absent", fix=fix)
