from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.facts import Sheet, kernel


def told() -> Sheet:
    sheet = Sheet()
    kernel.tell(sheet)
    return sheet


def test_the_kernel_is_told_as_uname_has_it() -> None:
    facts = told().facts
    assert facts["kernel.release"] == os.uname().release
    assert facts["kernel.machine"] == os.uname().machine


def test_the_distribution_has_its_pretty_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "release").write_text('ID=x\n# a comment\nPRETTY_NAME="X 1.0"\n')
    monkeypatch.setattr(kernel, "RELEASE", str(tmp_path / "release"))
    assert told().facts["os"] == "X 1.0"


def test_a_system_without_a_name_file_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "RELEASE", str(tmp_path / "gone"))
    assert told().unknown["os"] == "No such file or directory"
