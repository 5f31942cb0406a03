"""What pip would get: the wheels of this project's requirements, for the other machine's Python.

cupy is left out: it belongs to the machine, like the driver that it must fit. numpy comes along,
but where the machine has a copy that will do, cupy was built for that one and it stays.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import tomllib

from harness.errors import BundleError

SHARED = ("numpy",)  # with the machine's cupy
GPU_EXTRA = "nvml"
TESTS_GROUP = "test"
INSTALLER = "pip"  # the other machine's may be too old, or absent
GLIBC = 34  # as in 2.34: wheels for a newer one would not load on Ubuntu 22.04 or RHEL 9
OLDER = ("manylinux2014", "manylinux2010", "manylinux1")  # other names of 2.17, 2.12 and 2.5
DOWNLOAD_S = 300.0


def requirements(project: Path, *, tests: bool = False) -> tuple[str, ...]:
    """What pyproject.toml asks for, GPU health included; on request what only its tests use."""
    stated = tomllib.loads((project / "pyproject.toml").read_text())
    found = [*stated["project"]["dependencies"]]
    found += stated["project"]["optional-dependencies"][GPU_EXTRA]
    if tests:
        found += stated["dependency-groups"][TESTS_GROUP]
    return tuple(found)


def entry_points(project: Path) -> dict[str, str]:
    """By group, the lines that make the project known to pytest."""
    stated = tomllib.loads((project / "pyproject.toml").read_text())["project"]["entry-points"]
    return {
        group: "".join(f"{name} = {place}\n" for name, place in names.items())
        for group, names in stated.items()
    }


def shared(wanted: Sequence[str]) -> tuple[str, ...]:
    """Those of the requirements that the machine's own copy may satisfy."""
    return tuple(text for text in wanted if re.split(r"[^\w.-]", text)[0] in SHARED)


def download(wanted: Sequence[str], python: str, folder: Path) -> None:
    """Fill `folder` with wheels for that version of Python; BundleError in pip's own words."""
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet"]
    command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    command += [f"--platform={platform}" for platform in platforms()]
    command += [f"--dest={folder}", INSTALLER, *wanted]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PIP_NO_INPUT": "1"},
            timeout=DOWNLOAD_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BundleError(f"pip downloaded for {DOWNLOAD_S:g} s and was not done") from error
    if done.returncode:
        raise BundleError(
            f"pip cannot download the wheels: {_cause(done.stdout)}",
            where=f"wheels for Python {python}",
            fix="Make the bundle where pip reaches a package index",
        )


def platforms() -> tuple[str, ...]:
    """Every tag of a Linux with that glibc or an older one; pip matches them by name."""
    machine = platform.machine()
    names = [*(f"manylinux_2_{minor}" for minor in range(GLIBC, 4, -1)), *OLDER]
    return tuple(f"{name}_{machine}" for name in names)


def _cause(said: str) -> str:
    """The last of pip's errors, which names the package."""
    lines = said.strip().splitlines() or ["it said nothing"]
    return next((line for line in reversed(lines) if line.startswith("ERROR")), lines[-1])
