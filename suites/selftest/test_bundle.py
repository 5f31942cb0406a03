"""A bundle for real: made here, installed and used in a namespace without any network."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from suites.selftest.test_install import ONE_TEST, proves_one_exchange, run

pytestmark = [pytest.mark.selftest, pytest.mark.install]

PROJECT = Path(__file__).parents[2]
OFFLINE = ("unshare", "--net")
MAKE_S, INSTALL_S, RUN_S = 120.0, 120.0, 60.0
# Prints which files each program of the bundle has mapped that runs while a testbed is up.
SSHD_FILES = """
import json, os
from harness.inventory import TestbedSpec
from harness.testbed import up
def files(pid):
    with open(f"/proc/{pid}/maps") as lines:
        return {line.split(maxsplit=5)[5].strip() for line in lines if "/" in line}
found = []
with up(TestbedSpec(nodes=2, rails=1)):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe").endswith("/loader"):
                found.append(sorted(files(pid)))
        except OSError:  # it only greeted, or is none of ours
            pass
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation; its environment sees what this test's Python sees."""
    folder = tmp_path_factory.mktemp("bundle")
    bundle, place = folder / "bundle.pyz", folder / "place"
    make = [sys.executable, "-m", "harness", "bundle", "--out", bundle]
    code, said = run(make, cwd=PROJECT, timeout_s=MAKE_S)
    if "pip cannot download the wheels" in said:
        pytest.skip(f"a bundle needs a package index to be made: {said.strip()}")
    assert code == 0, said
    code, said = run([*OFFLINE, sys.executable, bundle, place], cwd=folder, timeout_s=INSTALL_S)
    assert code == 0, said
    assert said.startswith(f"Installed. Next: cd {place} && . .venv/bin/activate")
    return place


def activated(place: Path) -> dict[str, str]:
    return {"PATH": f"{place}/.venv/bin:/usr/bin:/bin"}


def test_an_exchange_is_proven_without_a_network(installed: Path) -> None:
    """With an inventory outside of the project, as options are known wherever pytest starts."""
    nodes = installed.with_name("nodes.toml")
    nodes.write_text((installed / "node_ips/testbed.toml").read_text())
    command = [*OFFLINE, "pytest", "-m", "hardware", f"--hil-nodes={nodes}", ONE_TEST]
    proves_one_exchange(command, installed, **activated(installed))


def test_sshd_runs_on_nothing_but_what_was_brought(installed: Path) -> None:
    command = [*OFFLINE, "python", "-c", SSHD_FILES]
    code, said = run(command, cwd=installed, timeout_s=RUN_S, **activated(installed))
    assert code == 0, said
    found = json.loads(said)
    brought, devices = f"{installed}/.venv/programs/", "/dev/"
    assert sum(f"{brought}sshd" in files for files in found) >= 2, "a node, an sshd"
    elsewhere = {f for files in found for f in files if not f.startswith((brought, devices))}
    assert elsewhere == set()


def test_doctor_finds_everything_that_the_testbed_needs(installed: Path) -> None:
    command = [*OFFLINE, "python", "-m", "harness", "doctor"]
    code, said = run(command, cwd=installed, timeout_s=RUN_S, **activated(installed))
    assert code == 0, said
    assert f"{installed}/.venv/bin/sshd" in said
