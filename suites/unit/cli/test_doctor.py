from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pytest

from harness.cli import doctor
from harness.errors import InventoryError, NodeError
from harness.testbed import needs
from harness.testbed.needs import Check
from suites.unit.nic import a3_high
from suites.unit.nic.machines import MadeMachine

COMMAND = "apt-get install --yes --no-install-recommends openssh-server"


def check(ok: bool, *, needed: bool = True) -> Check:
    seen = "here" if ok else "absent"
    return Check(name="thing", what_for="a test", ok=ok, seen=seen, fix="Get it", needed=needed)


def run(monkeypatch: pytest.MonkeyPatch, *found: Check, install: bool = False) -> int:
    """doctor on a machine where the checks find this."""
    monkeypatch.setattr(needs, "checks", lambda: list(found))
    return doctor.run(argparse.Namespace(install=install, nodes=None, node=None))


def test_a_machine_that_has_everything_is_healthy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, check(True)) == 0
    assert "ok        thing" in capsys.readouterr().out


def test_something_needed_that_is_missing_fails_and_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, check(True), check(False)) == 1
    said = capsys.readouterr().out
    assert "MISSING   thing" in said
    assert "for a test. Get it" in said


def test_something_optional_that_is_missing_does_not_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, check(False, needed=False)) == 0
    assert "optional  thing" in capsys.readouterr().out


def test_a_missing_module_is_named_with_the_interpreter_that_lacks_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "MODULES", {"no_such_module": ("no-such", "a test")})
    (found,) = doctor.modules()
    assert not found.ok
    assert found.needed
    assert "No module named 'no_such_module'" in found.seen
    assert found.fix.endswith("-m pip install no-such")


def test_the_modules_that_the_harness_needs_are_here() -> None:
    assert [module.name for module in doctor.modules() if not module.ok] == []


def test_what_only_gpu_tiers_need_is_never_needed() -> None:
    assert [found.name for found in doctor.gpu()] == ["GPU", "NVML", "cupy"]
    assert not any(found.needed for found in doctor.gpu())


def without_sshd(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """A machine that has nothing but what lies in `folder`, which grows a sshd when told."""
    monkeypatch.setenv("PATH", f"{folder}:/bin")
    sshd = folder / "installed"
    monkeypatch.setattr(needs, "find_sshd", lambda: str(sshd) if sshd.exists() else "")
    for tool in ("ip", "ss", "ssh", "ssh-keygen"):
        (folder / tool).touch(mode=0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return sshd


def apt_get(folder: Path, script: str) -> None:
    (folder / "apt-get").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "apt-get").chmod(0o755)


def test_install_is_silent_when_nothing_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    without_sshd(monkeypatch, tmp_path).touch()
    apt_get(tmp_path, f"touch {tmp_path}/called")
    assert run(monkeypatch, check(True), install=True) == 0
    assert capsys.readouterr() == ("", "")
    assert not (tmp_path / "called").exists()


def test_install_updates_and_installs_openssh_server_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sshd = without_sshd(monkeypatch, tmp_path)
    apt_get(tmp_path, f'echo "$@" >> {tmp_path}/log; [ $1 = update ] || touch {sshd}')
    assert run(monkeypatch, check(True), install=True) == 0
    update, install = (tmp_path / "log").read_text().splitlines()
    assert update == "update"
    assert install.startswith("install --yes --no-install-recommends openssh-server -o DPkg::Path=")


def test_install_brings_iproute2_where_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_sshd(monkeypatch, tmp_path).touch()
    tool = tmp_path / "ss"
    tool.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    made = f": > {tool}; /bin/chmod 755 {tool}"
    apt_get(tmp_path, f'echo "$@" >> {tmp_path}/log; [ $1 = update ] || {{ {made}; }}')
    monkeypatch.setattr(needs, "ssh", lambda: check(True))
    assert run(monkeypatch, check(True), install=True) == 0
    assert "--no-install-recommends iproute2 -o" in (tmp_path / "log").read_text()


def test_while_installing_no_service_can_be_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sshd = without_sshd(monkeypatch, tmp_path)
    # What dpkg does with the PATH it is given: a script of the package starts its service.
    start = 'PATH="${6#*=}"; for i in invoke-rc.d deb-systemd-invoke; do $i && command -v $i; done'
    apt_get(tmp_path, f"[ $1 = update ] && exit; touch {sshd}; ({start}) > {tmp_path}/log")
    assert run(monkeypatch, check(True), install=True) == 0
    starters = (tmp_path / "log").read_text().split()
    assert [Path(starter).name for starter in starters] == ["invoke-rc.d", "deb-systemd-invoke"]
    assert not any(Path(starter).exists() for starter in starters), "the guard was left behind"


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo no network; exit 100", "apt-get failed (no network)"),
        ("exit 0", "there is still no openssh-server"),
    ],
)
def test_install_that_fails_prints_the_command_and_exits_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    script: str,
    problem: str,
) -> None:
    without_sshd(monkeypatch, tmp_path)
    apt_get(tmp_path, script)
    assert run(monkeypatch, check(True), install=True) == 2
    said = capsys.readouterr().err
    assert problem in said
    assert f"Run: sh -c 'apt-get update && {COMMAND}'" in said


def test_install_without_root_prints_the_command_and_exits_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    without_sshd(monkeypatch, tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert run(monkeypatch, check(True), install=True) == 2
    assert capsys.readouterr().err == (
        "missing: openssh-server; only root can install that. "
        f"Run: sudo sh -c 'apt-get update && {COMMAND}'\n"
    )


def test_install_without_apt_prints_the_command_and_exits_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    without_sshd(monkeypatch, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(needs, "ssh", lambda: check(True))
    assert run(monkeypatch, check(True), install=True) == 2
    assert "there is no apt-get" in capsys.readouterr().err


# -- GPUs and the NICs beside them ---------------------------------------------------------------

A3 = """
[defaults]
nics = ["eth1", "eth2", "eth3", "eth4"]
[[node]]
name = "alpha"
address = "192.0.2.1"
[[node.gpu]]
index = 2
nic = "{nic}"
numa = 0
[[node]]
address = "192.0.2.2"
"""


@pytest.fixture
def a3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is an A3-high, with its sysfs and its NVML."""
    gpus = [{"bus_id": bus, "uuid": f"GPU-{i}"} for i, bus in enumerate(a3_high.GPUS)]
    machine = MadeMachine(tmp_path, monkeypatch, *gpus)
    monkeypatch.setitem(sys.modules, "pynvml", machine.library)
    root = a3_high.sysfs(tmp_path / "sys")
    places = doctor.places
    monkeypatch.setattr(doctor, "places", lambda: places(root))
    monkeypatch.setattr(needs, "checks", lambda: [check(True)])


def compared(tmp_path: Path, nic: str, node: str) -> int:
    file = tmp_path / "nodes.toml"
    file.write_text(A3.format(nic=nic))
    return doctor.run(argparse.Namespace(install=False, nodes=str(file), node=node))


@pytest.mark.usefixtures("a3")
def test_every_gpu_is_told_with_its_distance_to_every_nic(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compared(tmp_path, "eth2", "alpha") == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("place")]
    assert len(lines) == 8
    assert lines[2] == (
        "place     GPU 2  0000:0a:00.0, NUMA node 0: eth2 4 PCI links away; "
        "eth1 on another PCI root; eth3 on another PCI root; eth4 on another PCI root; "
        "veth0 not on PCI"
    )


@pytest.mark.usefixtures("a3")
def test_a_wrong_pair_of_the_inventory_is_named_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compared(tmp_path, "eth3", "192.0.2.1") == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("WRONG")]
    assert line == (
        "WRONG     GPU 2  alpha: 0000:0a:00.0 is paired with eth3 (0000:86:00.0), "
        "on another PCI root; eth2 (0000:0c:00.0) is nearer, 4 PCI links away"
    )


@pytest.mark.usefixtures("a3")
def test_a_machine_that_the_inventory_does_not_have_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match=r"there is no node gamma; expected one of alpha, "):
        compared(tmp_path, "eth2", "gamma")


def test_without_nvml_there_is_no_place_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise NodeError("no driver")

    monkeypatch.setattr(doctor, "open_nvml", refuse)
    assert doctor.places() == []


def test_what_reads_plugin_files_is_optional_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_origin", lambda module: "")
    found = doctor.elf()
    assert (found.ok, found.needed) == (False, False)
    assert found.fix.endswith("pip install 'tcpx-harness[elf]'")
