"""Machines that the testbed's code did not make: a short script's, behind a jump host.

The inventory knows of them only names, an ssh_config and their NICs. Everything runs at the desk, a
namespace from which no route leads to the nodes, so whatever reaches them went by ProxyJump.
"""

from __future__ import annotations

import itertools
import os
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.evidence import ExchangeEnded, ExchangePlanned, Judged, RunStarted
from suites.selftest.pytest_run import PROJECT, PytestRun, cases, categories, suite
from suites.selftest.sshd import until
from suites.selftest.test_testbed import inhabitants

pytestmark = pytest.mark.selftest

SCRIPT = Path(__file__).with_name("two_nodes.sh")
SPACES = ("desk", "jump", "a", "b")
MADE_S = 20.0
ENDED_S = 5.0
COMMAND_S = 30.0
ONE_TEST_S = 60.0
RUN_S = 150.0  # it takes 45 s on a machine with nothing else to do
HARDWARE = str(PROJECT / "suites" / "hardware")
REACH = f"{HARDWARE}/test_reach.py::test_every_node_runs_a_command"
UNSHAPED = "suites.hardware.test_scaling.test_throughput_grows_with_channels"

INVENTORY = """
[defaults]
ssh_config = "{folder}/ssh_config"
python = "{python}"
nics = ["eth1", "eth2", "eth3", "eth4"]
{more}
[[node]]
address = "node-a"
[[node]]
address = "node-b"
"""


@dataclass(frozen=True)
class Machines:
    """What the script has made, and the script, which undoes it when its stdin ends."""

    folder: Path
    prefix: str
    script: subprocess.Popen[bytes]

    def at(self, space: str) -> tuple[str, ...]:
        """A command that execs what follows it there."""
        return ("ip", "netns", "exec", f"{self.prefix}{space}")

    def desk(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.at("desk"), *command],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )

    def ssh(self, node: str, command: str) -> subprocess.CompletedProcess[str]:
        return self.desk("ssh", "-F", str(self.folder / "ssh_config"), node, command)

    def inventory(self, file: Path, more: str = "") -> Path:
        file.write_text(INVENTORY.format(folder=self.folder, python=sys.executable, more=more))
        return file

    def run(self, folder: Path, nodes: Path, *options: str) -> PytestRun:
        """The suites, run at the desk."""
        folder.mkdir()
        given = suite("--hil-nodes", str(nodes), *options)
        return PytestRun(folder, given, wrapper=self.at("desk"))

    def spaces(self) -> set[str]:
        """Every network namespace of it, as /proc spells them."""
        files = [Path("/run/netns", f"{self.prefix}{space}") for space in SPACES]
        return {f"net:[{file.stat().st_ino}]" for file in files if file.exists()}


_numbers = itertools.count()


@contextmanager
def made(folder: Path) -> Iterator[Machines]:
    prefix = f"hil{os.getpid()}-{next(_numbers)}-"
    command = ["sh", str(SCRIPT), str(folder), prefix, sys.prefix]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as script:
        try:
            assert script.stdout is not None
            assert select.select([script.stdout], [], [], MADE_S)[0], "the script is silent"
            assert script.stdout.readline() == b"ready\n"
            yield Machines(folder, prefix, script)
        finally:
            if script.returncode is None:
                script.terminate()
                script.wait(ENDED_S)


def pinned(file: Path) -> list[str]:
    """The lines of a known_hosts file without comments."""
    return [" ".join(line.split()[:3]) for line in file.read_text().splitlines()]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with made(tmp_path_factory.mktemp("machines")) as found:
        yield found


def test_a_short_script_makes_them() -> None:
    assert len(SCRIPT.read_text().splitlines()) <= 40


def test_only_the_jump_host_leads_to_them(machines: Machines) -> None:
    for node, address in (("node-a", "198.19.1.2"), ("node-b", "198.19.2.2")):
        assert machines.desk("ip", "route", "get", address).returncode != 0
        entered = machines.ssh(node, "echo $SSH_CONNECTION").stdout.split()
        assert entered[2] == address
        assert entered[0] == address.removesuffix("2") + "1"


def test_the_whole_suite_is_green_on_them(machines: Machines, tmp_path: Path) -> None:
    nodes = machines.inventory(tmp_path / "nodes.toml")
    run = machines.run(tmp_path / "run", nodes, HARDWARE, "--hil-soak", "2")
    assert run.finish(RUN_S) == 0, run.said()

    records = [entry.record for entry in run.entries()]
    (started,) = [record for record in records if isinstance(record, RunStarted)]
    assert started.tier == "two-node"
    planned = [record for record in records if isinstance(record, ExchangePlanned)]
    assert len(planned) >= 30
    assert {record.tier for record in planned} == {"two-node"}
    assert {record.rate_gbit_s for record in planned} == {0.0}
    ended = [record for record in records if isinstance(record, ExchangeEnded)]
    assert [record.problem for record in ended] == [""] * len(planned)
    judged = [record for record in records if isinstance(record, Judged)]
    assert {record.outcome for record in judged} == {"PASS"}
    assert all(record.checked for record in judged)
    assert list(run.cwd.iterdir()) == []


def test_a_speed_that_nobody_stated_is_a_planned_skip(machines: Machines, tmp_path: Path) -> None:
    nodes = machines.inventory(tmp_path / "nodes.toml")
    run = machines.run(tmp_path / "run", nodes, f"{HARDWARE}/test_scaling.py")
    assert run.finish(ONE_TEST_S) == 1, "a run of skips alone has checked nothing"
    assert "NOTHING_CHECKED: no test passed: 1 test skipped" in run.said()
    for found in (run.ours(), cases(run.theirs)):
        assert categories(found)[UNSHAPED] == "skipped"
        assert "needs the rate_gbit_s of every data NIC" in found[UNSHAPED].message


def test_an_unknown_key_is_refused_and_then_enrolled(machines: Machines, tmp_path: Path) -> None:
    known = pinned(machines.folder / "known_hosts")
    pins = tmp_path / "pins"
    pins.write_text("".join(f"{line}\n" for line in known if not line.startswith("198.19.2.2")))
    nodes = machines.inventory(tmp_path / "nodes.toml", f'known_hosts = "{pins}"')

    before = machines.run(tmp_path / "before", nodes, REACH)
    assert before.finish(ONE_TEST_S) == 1
    (case,) = before.ours().values()
    assert (case.category, case.klass) == ("error", "INFRA_HOSTKEY")
    assert case.message.startswith("ERROR INFRA_HOSTKEY node-b:")

    fix = shlex.split(case.message.partition("pin it: python ")[2])
    enrolled = machines.desk(sys.executable, *fix, "--yes")
    assert enrolled.returncode == 0, enrolled.stdout + enrolled.stderr
    assert sorted(pinned(pins)) == sorted(known)
    assert machines.run(tmp_path / "after", nodes, REACH).finish(ONE_TEST_S) == 0


END: dict[str, Callable[[subprocess.Popen[bytes]], None]] = {
    "stdin": lambda script: script.stdin and script.stdin.close(),
    "sigterm": lambda script: script.send_signal(signal.SIGTERM),
    "sigint": lambda script: script.send_signal(signal.SIGINT),
}


@pytest.mark.parametrize("how", END)
def test_nothing_is_left_of_them(how: str, tmp_path: Path) -> None:
    with made(tmp_path) as machines:
        assert machines.ssh("node-b", "setsid sleep 300 >/dev/null 2>&1 & echo").returncode == 0
        spaces = machines.spaces()
        assert len(spaces) == len(SPACES)
        assert inhabitants(spaces)
        END[how](machines.script)
        machines.script.wait(ENDED_S)
        assert machines.spaces() == set()
        assert until(lambda: not inhabitants(spaces), ENDED_S)
    assert not list(Path("/run/netns").glob(f"{machines.prefix}*"))
