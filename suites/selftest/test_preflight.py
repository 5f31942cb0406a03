"""The preflight on the embedded testbed: it passes, costs little, and stops what must not run.

Differences are planted in the nodes themselves: an MTU by `ip link`, a variable by the inventory, a
kernel's name by a Python that runs under another personality.
"""

from __future__ import annotations

import fcntl
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures import preflight
from fixtures.preflight import once
from harness.errors import PreflightError, SshError
from harness.evidence import ExchangePlanned, NodeFacts, Note, PreflightEnded, RoleStarted
from harness.inventory import TestbedSpec
from harness.nodes import Node, connect
from harness.preflight import Preflight
from harness.testbed import Testbed, up
from suites.selftest.pytest_run import PytestRun, small_project

pytestmark = pytest.mark.selftest

RUN_S = 90.0
COST_S = 3.0  # it takes 0.3 s; this machine may be busy
COMMAND_S = 10.0
TWO = "def test_one(nodes):\n    pass\n\ndef test_two(nodes):\n    pass\n"
EXCHANGE = """
from dataclasses import replace

def test_moves_something(exchange, plan):
    exchange(replace(plan, channels=2, size_bytes=2**20))
"""


@pytest.fixture(scope="module")
def testbed() -> Iterator[Testbed]:
    with up(TestbedSpec(rails=2)) as made:
        yield made


@pytest.fixture(scope="module")
def second(testbed: Testbed) -> Iterator[Node]:
    """The second node, to plant things there."""
    with connect(testbed.inventory.nodes[1]) as node:
        yield node


@pytest.fixture
def run(tmp_path: Path, testbed: Testbed) -> Callable[..., tuple[int, PytestRun]]:
    """Runs a test file against the testbed, its inventory changed by `edit`."""

    def to_the_end(
        test_file: str,
        *options: str,
        edit: Callable[[str], str] = str,
        variables: dict[str, str] | None = None,
    ) -> tuple[int, PytestRun]:
        nodes = tmp_path / "nodes.toml"
        nodes.write_text(edit(testbed.inventory_file.read_text()))
        project = small_project(tmp_path / "project", test_file)
        given = (*project, "--hil-nodes", str(nodes), *options)
        made = PytestRun(tmp_path, given, variables or {})
        return made.finish(RUN_S), made

    return to_the_end


Run = Callable[..., tuple[int, PytestRun]]


def ended(made: PytestRun) -> PreflightEnded:
    (found,) = (e.record for e in made.entries() if isinstance(e.record, PreflightEnded))
    return found


def facts(made: PytestRun) -> dict[str, NodeFacts]:
    return {e.record.node: e.record for e in made.entries() if isinstance(e.record, NodeFacts)}


def stopped(code: int, made: PytestRun, *expected: str) -> None:
    """Every test is an error of the preflight that says all this, and nothing was exchanged."""
    assert code == pytest.ExitCode.TESTS_FAILED, made.said()
    for case in made.ours().values():
        assert (case.category, case.klass) == ("error", "PREFLIGHT")
        for words in expected:
            assert words in case.message
    assert not [e for e in made.entries() if isinstance(e.record, ExchangePlanned)]


def changed(at: int, old: str, new: str) -> Callable[[str], str]:
    """The inventory with `old` replaced in its node number `at`."""

    def edit(text: str) -> str:
        parts = re.split(r"(?=^\[\[node\]\])", text, flags=re.M)
        assert old in parts[at + 1]
        parts[at + 1] = parts[at + 1].replace(old, new, 1)
        return "".join(parts)

    return edit


def test_nodes_that_are_alike_pass_and_say_what_they_are(run: Run) -> None:
    code, made = run(TWO)
    assert code == 0, made.said()
    found = ended(made)
    assert (found.problems, found.nodes) == ((), ("node-a", "node-b"))
    assert found.checked > 30
    for said in facts(made).values():
        assert said.facts["nic.eth1.mtu"] == "9000"
        assert said.facts["nic.eth1.driver"] == "veth"
        assert said.facts["kernel.release"] == os.uname().release
    assert f"preflight: {found.checked} facts" in made.said()


def test_it_costs_little_and_once(run: Run) -> None:
    code, made = run(TWO)
    assert code == 0, made.said()
    assert ended(made).duration_s < COST_S
    assert sum(said.cost_s for said in facts(made).values()) < COST_S


@pytest.mark.parametrize("workers", ["0", "2"])
def test_another_mtu_stops_the_run_and_is_named(run: Run, second: Node, workers: str) -> None:
    set_mtu(second, 1500)
    try:
        code, made = run(TWO, "-n", workers)
    finally:
        set_mtu(second, 9000)
    stopped(code, made, "nic.eth2.mtu is 9000 on node-a and 1500 on node-b", "ip link set dev eth2")


def set_mtu(node: Node, mtu: int) -> None:
    command = ["ip", "link", "set", "dev", "eth2", "mtu", str(mtu)]
    assert (
        node.run(
            ["env", f"PATH={os.environ['PATH']}:/usr/sbin:/sbin", *command], timeout_s=COMMAND_S
        ).code
        == 0
    )


def test_another_variable_stops_the_run_and_is_named(run: Run) -> None:
    edit = changed(1, "[[node.nic]]", '[node.environment]\nNCCL_ALGO = "Tree"\n[[node.nic]]')
    code, made = run(TWO, "--hil-env", "gke", edit=edit)
    stopped(code, made, "environment.NCCL_ALGO is Ring on node-a and Tree on node-b")


def test_a_plugin_that_only_the_environment_names_is_looked_at(run: Run) -> None:
    code, made = run(EXCHANGE, variables={"UCCL_TCPX_PLUGIN_PATH": "/nowhere/net.so"})
    stopped(code, made, "plugin.path /nowhere/net.so cannot be read")


def test_another_kernel_stops_the_run_and_is_named(run: Run, second: Node) -> None:
    wrapper = "/tmp/old-python"
    second.put(wrapper, old_python(), timeout_s=COMMAND_S)
    assert second.run(["chmod", "755", wrapper], timeout_s=COMMAND_S).code == 0
    edit = changed(1, f'python = "{sys.executable}"', f'python = "{wrapper}"')
    code, made = run(TWO, edit=edit)
    here = re.escape(os.uname().release)
    stopped(code, made, "kernel.release is ")
    (case, *_) = made.ours().values()
    assert re.search(rf"kernel\.release is {here} on node-a and 2\.6\.\S+ on node-b", case.message)


def old_python() -> bytes:
    """A Python that is told a kernel's name of long ago."""
    return f'#!/bin/sh\nexec setarch "$(uname -m)" --uname-2.6 {sys.executable} "$@"\n'.encode()


def test_what_is_meant_to_differ_may(run: Run, second: Node) -> None:
    def edit(text: str) -> str:
        wanted = '[may_differ]\n"nic.*.mtu" = "the second node is not moved yet"\n'
        return text.replace("[[node]]", f"{wanted}[[node]]", 1)

    set_mtu(second, 1500)
    try:
        code, made = run(TWO, edit=edit)
    finally:
        set_mtu(second, 9000)
    assert code == 0, made.said()
    (allowed,) = ended(made).allowed
    assert allowed.startswith("nic.eth2.mtu is 9000 on node-a and 1500 on node-b")
    assert allowed.endswith("(the second node is not moved yet)")


# -- once a run --------------------------------------------------------------------------------


def test_the_second_reads_what_the_first_found(tmp_path: Path) -> None:
    said = NodeFacts(node="a", facts={"kernel.release": "6.6"})
    found = once(tmp_path, lambda: Preflight(facts={"a": said}))
    again = once(tmp_path, lambda: pytest.fail("made twice"))
    assert found == again == Preflight(facts={"a": said})


def test_the_second_is_stopped_by_what_stopped_the_first(tmp_path: Path) -> None:
    def fly() -> Preflight:
        raise PreflightError("os differs", fix="Make it the same")

    for flight in (fly, lambda: pytest.fail("made twice")):
        with pytest.raises(PreflightError, match=r"^os differs\. Make it the same$"):
            once(tmp_path, flight)


def test_a_node_that_could_not_be_reached_is_tried_again(tmp_path: Path) -> None:
    def fly() -> Preflight:
        raise SshError("no answer")

    with pytest.raises(SshError):
        once(tmp_path, fly)
    assert once(tmp_path, lambda: Preflight(facts={})).facts == {}


def test_whoever_waits_for_another_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "WAIT_S", 0.1)
    with (tmp_path / preflight.LOCK).open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(PreflightError, match=r"another worker's preflight did not end in 0\.1"):
            once(tmp_path, lambda: Preflight(facts={}))


# -- what roles get ----------------------------------------------------------------------------


def test_a_preset_and_debug_switches_reach_the_roles(run: Run) -> None:
    code, made = run(
        EXCHANGE,
        "--hil-env",
        "gke",
        variables={"TCPX_DEBUG": "1", "NCCL_DEBUG": "INFO", "NCCL_DEBUG_FILE": "/tmp/x"},
    )
    assert code == 0, made.said()
    for said in facts(made).values():
        assert said.facts["environment.NCCL_GPUDIRECTTCPX_FORCE_ACK"] == "0"
        assert said.facts["environment.NCCL_DEBUG"] == "INFO"
        assert said.facts["environment.TCPX_DEBUG"] == "1"
        assert "environment.NCCL_DEBUG_FILE" not in said.facts
    (planned,) = (e.record for e in made.entries() if isinstance(e.record, ExchangePlanned))
    assert planned.plan["sockets_per_channel"] == 4


def test_roles_keep_to_the_cpus_of_the_inventory(run: Run) -> None:
    cpu = min(os.sched_getaffinity(0))
    code, made = run(EXCHANGE, edit=lambda text: pinned(text, str(cpu)))
    assert code == 0, made.said()
    started = [e.record for e in made.entries() if isinstance(e.record, RoleStarted)]
    assert [record.cpus for record in started] == [str(cpu)] * 2
    assert {said.facts["cpu.allowed"] for said in facts(made).values()} == {str(cpu)}


def test_cpus_that_are_not_there_are_named(run: Run) -> None:
    code, made = run(EXCHANGE, edit=lambda text: pinned(text, "0-9999"))
    assert code == pytest.ExitCode.TESTS_FAILED, made.said()
    (case,) = made.ours().values()
    assert (case.category, case.klass) == ("error", "ROLE")
    assert "probe may run on CPUs 0" in case.message
    assert "expected 0-9999, as the inventory says" in case.message


def pinned(text: str, cpus: str) -> str:
    return text.replace("[[node]]\n", f'[[node]]\ncpus = "{cpus}"\n')


# -- a profiler --------------------------------------------------------------------------------

NSYS = """#!/bin/sh
# Stands in for the profiler: takes its options, runs the program, writes the file that it names.
shift
while [ "${1#--}" != "$1" ]; do
    case "$1" in --output=*) file="${1#--output=}" ;; esac
    shift
done
"$@"
code=$?
echo profiled > "$file.nsys-rep"
sleep 4
exit $code
"""


def test_a_profiler_runs_where_it_is_and_is_missed_where_not(run: Run, second: Node) -> None:
    second.put("/tmp/bin/nsys", NSYS.encode(), timeout_s=COMMAND_S)
    assert second.run(["chmod", "755", "/tmp/bin/nsys"], timeout_s=COMMAND_S).code == 0
    path = '[node.environment]\nPATH = "/tmp/bin:/usr/bin:/bin"\n'
    edit = changed(1, "[[node.nic]]", f"{path}[[node.nic]]")
    code, made = run(EXCHANGE, "--hil-profile", "nsys", edit=edit)
    assert code == 0, made.said()
    records = [entry.record for entry in made.entries()]
    notes = [record.text for record in records if isinstance(record, Note)]
    assert "there is no nsys on node-a: its roles run without" in notes
    assert not any("no nsys on node-b" in text for text in notes)
    started = {r.role: r.command for r in records if isinstance(r, RoleStarted)}
    assert started["client"][:2] == ("/tmp/bin/nsys", "profile")
    assert "nsys" not in " ".join(started["server"])
    (output,) = (word for word in started["client"] if word.startswith("--output="))
    file = f"{output.removeprefix('--output=')}.nsys-rep"
    assert second.get(file, timeout_s=COMMAND_S) == b"profiled\n"
