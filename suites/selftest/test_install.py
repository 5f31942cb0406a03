"""The ways in: editable, from a wheel and through tox, each as a stranger goes it.

Every way starts from a copy of the project and a new virtual environment, installs with plain pip
from the package index, and then proves one exchange with nothing but what was installed. Without an
index these tests fail and say so: a skip would leave the ways in untested where nobody looks.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

pytestmark = [pytest.mark.selftest, pytest.mark.install]

PROJECT = Path(__file__).parents[2]
ONE_TEST = "suites/hardware/test_mapping.py::test_channel_i_is_on_nic_i_mod_n[4]"
# Of the run that we are in, and nothing to a stranger.
OURS = ("HIL_", "NCCL_", "PYTEST_", "PYTHON", "TOX_", "UCCL_", "VIRTUAL_ENV")
PIP_S = 240.0
RUN_S = 120.0
MINE = """\
from dataclasses import replace

import pytest


@pytest.mark.hardware
def test_mine(exchange, plan):
    result = exchange(replace(plan, channels=2, size_bytes=1 << 20))
    assert result.gb_s > 0
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy without what runs and tools have left: environments, caches, reports."""
    copy = tmp_path_factory.mktemp("stranger") / "tcpx-harness"

    def left_behind(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if name.startswith((".", "__pycache__", "reports"))}

    return Path(shutil.copytree(PROJECT, copy, ignore=left_behind))


@pytest.fixture(scope="module")
def wheel(checkout: Path) -> Path:
    pip(Path(sys.executable), "wheel", "--no-deps", "--wheel-dir", "dist", ".", cwd=checkout)
    (built,) = (checkout / "dist").iterdir()
    return built


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def environment(**more: str) -> dict[str, str]:
    """The machine's; an index that does not answer is given up on soon."""
    machine = {name: v for name, v in os.environ.items() if not name.startswith(OURS)}
    return machine | {"PIP_RETRIES": "1", "PIP_DEFAULT_TIMEOUT": "20"} | more


def run(
    command: Sequence[str | Path], *, cwd: Path, timeout_s: float, **more: str
) -> tuple[int, str]:
    """Exit code, and what was said on both streams."""
    ran = subprocess.run(
        command,
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return ran.returncode, ran.stdout


def pip(python: Path, *arguments: str, cwd: Path, **more: str) -> None:
    command = [python, "-m", "pip", "--disable-pip-version-check", *arguments]
    code, said = run(command, cwd=cwd, timeout_s=PIP_S, **more)
    if code:
        pytest.fail(f"`pip {' '.join(arguments)}` needs a package index and failed:\n{said}")


def installed(folder: Path, *what: str, cwd: Path) -> Path:
    """A new environment in `folder` with `what` in it; the folder of its programs."""
    code, said = run([sys.executable, "-m", "venv", folder], cwd=cwd, timeout_s=PIP_S)
    assert code == 0, said
    pip(folder / "bin" / "python", "install", *what, cwd=cwd)
    return folder / "bin"


def proves_one_exchange(command: Sequence[str | Path], folder: Path, **more: str) -> None:
    """The command, run in `folder`, passes, says where its report is, and rests on evidence."""
    code, said = run(command, cwd=folder, timeout_s=RUN_S, **more)
    assert code == 0, said
    (report,) = (folder / "reports").glob("*/verdict.json")
    assert f"report: {report.with_name('junit.xml').relative_to(folder)}" in said
    verdict = json.loads(report.read_text())
    assert [test["outcome"] for test in verdict["tests"]] == ["PASS"], said
    (exchange,) = verdict["exchanges"]
    assert all(judged["outcome"] == "PASS" and judged["checked"] for judged in exchange["judged"])
    shutil.rmtree(folder / "reports")


def test_an_editable_install_runs_the_main_job(checkout: Path, tmp_path: Path) -> None:
    programs = installed(tmp_path / "venv", "-e", ".", cwd=checkout)
    proves_one_exchange([programs / "pytest", "-m", "hardware", ONE_TEST], checkout)


def test_a_wheel_runs_a_users_own_test_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    programs = installed(tmp_path / "venv", str(wheel), cwd=tmp_path)
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "test_mine.py").write_text(MINE)
    proves_one_exchange([programs / "pytest", "-m", "hardware"], folder)


def test_tox_runs_the_main_job(checkout: Path, tmp_path: Path) -> None:
    programs = installed(tmp_path / "venv", "tox", cwd=checkout)
    proves_one_exchange([programs / "tox", "-e", "testbed", "--", ONE_TEST], checkout)


def test_a_wheel_holds_harness_and_fixtures_and_no_suites(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"harness", "fixtures"}


def test_the_default_install_brings_nothing_for_gpus_or_benchmarks(metadata: Message) -> None:
    wanted = metadata.get_all("Requires-Dist", [])
    always = {re.split(r"[^\w.-]", line)[0] for line in wanted if "extra ==" not in line}
    assert always == {
        "junit-xml",
        "numpy",
        "paramiko",
        "psutil",
        "pyroute2",
        "pytest",
        "pytest-xdist",
    }
    assert {"cuda12", "cuda13", "nvml"} <= set(metadata.get_all("Provides-Extra", []))


def test_a_missing_package_index_is_a_failure_that_says_so(tmp_path: Path) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull}
    with pytest.raises(pytest.fail.Exception, match="needs a package index"):
        pip(Path(sys.executable), "download", "--no-deps", "tox", cwd=tmp_path, **nowhere)
