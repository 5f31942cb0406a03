from __future__ import annotations

import importlib
import json
import platform
import zipfile
from pathlib import Path

import pytest

from harness.bundle import name_for, programs, wheels
from harness.bundle.make import pack
from harness.errors import BundleError

module = importlib.import_module("harness.bundle.make")  # its function has the same name


def test_a_bundle_that_is_too_large_is_refused_with_its_largest_parts(tmp_path: Path) -> None:
    parts = {}
    for name, size_bytes in (("small", 1), ("large", 3 << 20)):
        (tmp_path / name).write_bytes(b"x" * size_bytes)
        parts[f"wheels/{name}.whl"] = tmp_path / name
    file = tmp_path / "out" / "bundle.pyz"
    file.parent.mkdir()
    file.write_text("the one before")
    with pytest.raises(BundleError) as caught:
        pack(file, {}, parts, limit_bytes=2 << 20)
    said = str(caught.value)
    assert said.startswith("the bundle is 3.0 MiB; the largest parts are wheels/large.whl 3.0 MiB")
    assert said.endswith("expected at most 2 MiB")
    assert [path.name for path in file.parent.iterdir()] == ["bundle.pyz"]
    assert file.read_text() == "the one before"


def test_only_a_checkout_can_be_bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CODE", tmp_path)
    with pytest.raises(BundleError, match="is no checkout"):
        module.make(tmp_path / "bundle.pyz", "3.12")


def test_it_holds_wheels_programs_and_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def collect(folder: Path) -> tuple[str, ...]:
        (folder / "sshd").write_text("program")
        return ("sshd",)

    monkeypatch.setattr(programs, "collect", collect)
    monkeypatch.setattr(wheels, "download", lambda _, py, to: (to / f"a-{py}.whl").write_text(""))
    made = module.make(tmp_path / name_for("3.12"), "3.12")
    assert (made.wheels, made.programs) == (("a-3.12.whl",), ("sshd",))
    assert made.size_bytes == made.file.stat().st_size
    with zipfile.ZipFile(made.file) as bundle:
        there = set(bundle.namelist())
        manifest = json.loads(bundle.read("manifest.json"))
    assert {"__main__.py", "wheels/a-3.12.whl", "programs/sshd"} <= there
    assert {"project/tox.ini", "project/suites/hardware/test_reach.py"} <= there
    assert there == {"__main__.py", "manifest.json", *manifest["parts"]}
    assert (manifest["python"], manifest["machine"]) == ("3.12", platform.machine())
    assert manifest["entry_points"] == {"pytest11": "fixtures.plugin = fixtures.plugin\n"}
    assert manifest["shared"] == ["numpy>=1.26"]
