from __future__ import annotations

from pathlib import Path

import pytest

from harness.facts.tools import find


def program(folder: Path, name: str = "nsys") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_path_comes_first_then_the_newest_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    program(tmp_path / "nsight-2024.1")
    newest = program(tmp_path / "nsight-2025.2")
    elsewhere = (str(tmp_path / "none" / "nsys"), str(tmp_path / "nsight-*" / "nsys"))
    assert find("nsys", elsewhere) == str(newest)
    on_path = program(tmp_path / "bin")
    assert find("nsys", elsewhere) == str(on_path)


def test_what_is_nowhere_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find("nsys", (str(tmp_path / "*" / "nsys"),)) == ""
