"""`python -m harness artefact FILE`: a line a check, and an exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.__main__ import main
from harness.cli import artefact
from suites.unit.artefact import objects
from suites.unit.artefact.objects import built, needs_compiler


@needs_compiler
def test_a_sound_plugin_is_all_ok(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built(tmp_path, objects.TRAPPED)
    assert main(["artefact", str(tmp_path / "small.so"), "--env", "gke"]) == 0
    said = capsys.readouterr().out
    assert "WRONG" not in said
    assert "ok     net name           Small_v7" in said


@needs_compiler
def test_what_is_wrong_has_what_was_expected_and_a_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NCCL_DYNAMIC_CHUNK_SIZE", raising=False)
    monkeypatch.setattr(artefact, "is_noexec", lambda path: True)
    built(tmp_path, objects.TRAPPED)
    file = str(tmp_path / "small.so")
    assert main(["artefact", file, "--net-name", "GPUDirectTCPX_v7"]) == 1
    lines = capsys.readouterr().out.splitlines()
    wrong = [line for line in lines if line.startswith("WRONG")]
    assert [line.split()[1] for line in wrong] == ["mount", "net", "chunk"]
    assert sum("expected " in line for line in lines) == 3


def test_a_file_that_is_not_there_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["artefact", "/nowhere/p.so"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("ARTEFACT: /nowhere/p.so: cannot be read: No such file or directory")


def test_a_file_that_is_no_object_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.so").write_text("#!/bin/sh\n")
    assert main(["artefact", str(tmp_path / "p.so")]) == 2
    assert "cannot be read as ELF" in capsys.readouterr().err
