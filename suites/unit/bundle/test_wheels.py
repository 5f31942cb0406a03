from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from harness.bundle import wheels
from harness.errors import BundleError

PROJECT = """\
[project]
dependencies = ["numpy>=1.26", "psutil>=6"]
optional-dependencies = {nvml = ["nvidia-ml-py>=13"], cuda13 = ["cupy-cuda13x"]}
[dependency-groups]
test = ["hypothesis"]
"""


def test_requirements_are_the_projects_without_cupy(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    wanted = wheels.requirements(tmp_path)
    assert wanted == ("numpy>=1.26", "psutil>=6", "nvidia-ml-py>=13")
    assert wheels.requirements(tmp_path, tests=True) == (*wanted, "hypothesis")
    assert wheels.shared(wanted) == ("numpy>=1.26",)


def test_platforms_are_of_this_kind_of_machine_and_no_newer_than_stated() -> None:
    found = wheels.platforms()
    assert all(name.endswith(f"_{platform.machine()}") for name in found)
    assert found[0].startswith("manylinux_2_34_")
    assert {"manylinux_2_5", "manylinux_2_17", "manylinux2014"} <= {
        name.removesuffix(f"_{platform.machine()}") for name in found
    }


def test_an_index_that_does_not_answer_is_said_in_pips_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pip", reason="this environment has no pip")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(BundleError) as caught:
        wheels.download(["psutil>=6"], "3.12", tmp_path)
    said = str(caught.value)
    assert "wheels for Python 3.12: pip cannot download the wheels: ERROR: No matching" in said
    assert said.endswith("Make the bundle where pip reaches a package index")


def test_a_pip_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexec sleep 60\n")
    python.chmod(0o755)
    monkeypatch.setattr(wheels.sys, "executable", str(python))
    monkeypatch.setattr(wheels, "DOWNLOAD_S", 0.1)
    with pytest.raises(BundleError, match=r"downloaded for 0\.1 s and was not done"):
        wheels.download(["psutil"], "3.12", tmp_path)
