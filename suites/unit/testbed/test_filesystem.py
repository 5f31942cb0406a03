from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from harness.testbed import filesystem


def test_home_and_the_shared_folders_are_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/")  # a home that must not hide the machine
    covered = filesystem.covered()
    assert {"/tmp", "/run", "/dev/shm", os.path.realpath(filesystem.home())} <= set(covered)
    assert "/" not in covered
    assert "" not in covered


def test_a_home_below_a_covered_folder_needs_no_cover_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outer = filesystem.covered()
    monkeypatch.setenv("HOME", f"/tmp/{tmp_path.name}")
    assert filesystem.covered() == outer


def test_an_interpreter_below_a_covered_folder_is_kept() -> None:
    above = os.path.dirname(sys.prefix)
    assert sys.prefix in filesystem.kept([above])


def test_an_interpreter_elsewhere_needs_no_keeping() -> None:
    assert filesystem.kept(["/proc"]) == []


def test_every_installation_that_a_linked_interpreter_leads_through_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("venv", "real-3.12.1"):
        (tmp_path / name / "bin").mkdir(parents=True)
    (tmp_path / "alias-3.12").symlink_to("real-3.12.1")
    (tmp_path / "real-3.12.1/bin/python").touch()
    (tmp_path / "venv/bin/python").symlink_to("../../alias-3.12/bin/python")
    monkeypatch.setattr(sys, "executable", f"{tmp_path}/venv/bin/python")
    kept = filesystem.kept([str(tmp_path)])
    assert {f"{tmp_path}/{name}" for name in ("venv", "alias-3.12", "real-3.12.1")} <= set(kept)


def test_a_covered_folder_itself_is_never_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert str(tmp_path) not in filesystem.kept([str(tmp_path)])


def test_packages_of_another_environment_that_are_seen_are_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packages = tmp_path / "machine/lib/python3.12/site-packages"
    packages.mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [*sys.path, str(packages), str(tmp_path / "code")])
    kept = filesystem.kept([str(tmp_path)])
    assert str(packages) in kept
    assert str(tmp_path / "code") not in kept, "nodes have no code but what is pushed"
