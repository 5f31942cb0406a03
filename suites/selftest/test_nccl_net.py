"""A whole exchange through an ncclNet plugin on two nodes: every claim judged, every misbehaviour
a verdict of its own, and the role alive to say so.

The plugin is the small one of `fixtures/nccl_net`; each node gets a copy of the file.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from harness.evidence import Entry, FlowSteered, Journal, Judged, Record, RoleFailed
from harness.inventory import Inventory, TestbedSpec
from harness.nodes import connect
from harness.plan import MIB, TRANSFER_CLAIMS, Fault, Plan, full_mesh
from harness.roles.pair import Pair
from harness.tcpx.cuda import why_not
from harness.testbed import Testbed, up
from harness.verdict import cause, exchanges_of, judge, judge_exchange
from suites.selftest.pytest_run import PROJECT, PytestRun, suite

pytestmark = pytest.mark.selftest

PLUGIN = "/tmp/libnccl-net-fixture.so"  # a node's /tmp is its own
PLUGGED = ("--hil-transport", "nccl-net", "--hil-plugin", PLUGIN)
PUT_S = 10.0
RUN_S = 90.0
PLAN = Plan(transport="nccl-net", plugin=PLUGIN, size_bytes=16 * MIB, iterations=2, deadline_s=20.0)

Judge = Callable[..., tuple[list[Entry], tuple[Judged, ...]]]


@contextmanager
def with_plugin(path: str, tier: str) -> Iterator[Testbed]:
    with up(TestbedSpec(), tier) as made:
        for spec in made.inventory.nodes:
            with connect(spec) as node:
                node.put(PLUGIN, Path(path).read_bytes(), timeout_s=PUT_S)
        yield made


@pytest.fixture(scope="module")
def testbed(nccl_plugin: str) -> Iterator[Testbed]:
    with with_plugin(nccl_plugin, "testbed") as made:
        yield made


@pytest.fixture
def gpu_testbed(nccl_plugin: str) -> Iterator[Testbed]:
    if reason := why_not():
        pytest.skip(f"no CUDA: {reason}")
    with with_plugin(nccl_plugin, "testbed-gpu") as made:
        yield made


@pytest.fixture
def exchange(testbed: Testbed, tmp_path: Path) -> Iterator[Judge]:
    """Runs a plan, with a misbehaviour on the nodes that are named, and judges it."""
    journal = Journal(tmp_path, "run")
    numbers = itertools.count()

    def run(
        plan: Plan = PLAN, fault: str = "", at: tuple[int, ...] = (0, 1)
    ) -> tuple[list[Entry], tuple[Judged, ...]]:
        entries: list[Entry] = []
        name = f"main-{next(numbers)}"

        def write(record: Record) -> None:
            entries.append(journal.write(record, exchange=name))

        with connect(_faulty(testbed.inventory, 0, fault, at)) as server:
            with connect(_faulty(testbed.inventory, 1, fault, at)) as client:
                pair = Pair(server, client, owner="selftest", tier="testbed", watches={})
                pair.exchange(plan, name=name, test="test", write=write)
                for watch in pair.watches.values():
                    watch.close()
        return entries, judge(entries)

    yield run
    journal.close()


def _faulty(inventory: Inventory, node: int, fault: str, at: tuple[int, ...]):
    spec = inventory.nodes[node]
    return replace(spec, environment={"NCCL_FIXTURE_FAULT": fault}) if node in at else spec


def by_claim(judged: tuple[Judged, ...]) -> dict[str, str]:
    return {one.claim: f"{one.outcome} {one.klass}".strip() for one in judged}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sockets_per_channel": 2},
        {"channels": 8},
        {"distribution": "least-loaded"},
        {"rxdm": "stand-in"},
    ],
    ids=["plain", "two-sockets", "eight-channels", "dealt", "stand-in"],
)
def test_every_claim_of_an_exchange_through_a_plugin_is_judged(
    exchange: Judge, changes: dict[str, object]
) -> None:
    entries, judged = exchange(replace(PLAN, **changes))  # type: ignore[arg-type]
    steered = [e.record.what for e in entries if isinstance(e.record, FlowSteered)]
    assert len(steered) == (2 * PLAN.channels if "rxdm" in changes else 0)
    facts = {one.claim: (one.outcome, one.fact, one.evidence) for one in judged}
    claims = (*TRANSFER_CLAIMS, *(["steering"] if "rxdm" in changes else []))
    assert by_claim(judged) == dict.fromkeys(claims, "PASS"), facts
    assert all(one.checked > 0 for one in judged)
    said = {one.claim: one.fact for one in judged}
    assert "of the plugin's own, the same at both ends" in said["sockets"]
    assert "on 4 NICs" in said["mapping"]


def test_gpus_at_once_through_a_plugin_each_have_a_verdict(
    testbed: Testbed, tmp_path: Path
) -> None:
    """Four plugins a node, two on a NIC; the stand-in of each hears of its own sockets alone."""
    journal, entries = Journal(tmp_path, "run"), []

    def write(exchange: str, record: Record) -> None:
        entries.append(journal.write(record, exchange=exchange))

    plans = full_mesh(replace(PLAN, rxdm="stand-in", claims=(), size_bytes=4 * MIB), range(4))
    with (
        connect(testbed.inventory.nodes[0]) as server,
        connect(testbed.inventory.nodes[1]) as client,
    ):
        pair = Pair(server, client, owner="selftest", tier="testbed", watches={})
        pair.mesh(plans, name="main-1", test="test", write=write)
        for watch in pair.watches.values():
            watch.close()
    journal.close()
    claims = dict.fromkeys((*TRANSFER_CLAIMS, "steering"), "PASS")
    found = {one.gpu: by_claim(judge_exchange(one)) for one in exchanges_of(entries)}
    assert found == dict.fromkeys(range(4), claims)


def test_a_flow_that_is_steered_for_another_socket_is_named(exchange: Judge) -> None:
    _, judged = exchange(replace(PLAN, rxdm="stand-in", claims=()), "steer-elsewhere", at=(0,))
    found = cause(judged)
    assert (found.outcome, found.klass, found.node) == ("FAIL", "STEERING", "node-a"), found
    assert by_claim(judged) == dict.fromkeys(TRANSFER_CLAIMS, "PASS") | {
        "steering": "FAIL STEERING"
    }


def test_the_plugins_windows_hold_and_refuse_the_17th(exchange: Judge) -> None:
    plan = replace(PLAN, exercise="window", claims=("roles", "window"), iterations=1)
    _, judged = exchange(plan)
    assert by_claim(judged) == {"roles": "PASS", "window": "PASS"}, judged


@pytest.mark.parametrize(
    ("fault", "klass", "words"),
    [
        ("exit-in-init", "PLUGIN_CRASH", "exited with 1 in init"),
        ("crash-in-accept", "PLUGIN_CRASH", "was killed by SIGSEGV in accept"),
        ("exit-in-test", "PLUGIN_CRASH", "exited with 1 in test"),
        ("overrun", "REMOTE_PROTOCOL", "bytes came into a receive of 524288"),
        ("stall", "STALL", "not done after"),
    ],
)
def test_each_misbehaviour_has_a_verdict_and_the_role_survives_to_say_so(
    exchange: Judge, fault: str, klass: str, words: str
) -> None:
    entries, judged = exchange(replace(PLAN, deadline_s=4.0), fault, at=(0,))
    found = cause(judged)
    assert (found.outcome, found.klass, found.node) == ("FAIL", klass, "node-a"), found
    assert words in found.fact
    told = [e.record for e in entries if isinstance(e.record, RoleFailed)]
    assert (told[0].role if told[0].node == "node-a" else told[-1].role) == "server"


def test_a_phantom_done_after_the_servers_death_makes_nothing_green(exchange: Judge) -> None:
    plan = replace(PLAN, faults=(Fault(kind="die", chunk=8),), deadline_s=5.0)
    _, judged = exchange(plan, "phantom", at=(1,))
    found = cause(judged)
    assert (found.outcome, found.klass, found.node) == ("FAIL", "ROLE_CRASH", "node-a"), found
    assert "PASS" not in by_claim(judged)["delivery"]


def test_a_plugin_that_a_node_lacks_is_named(exchange: Judge) -> None:
    _, judged = exchange(replace(PLAN, plugin="/nowhere/libnet.so"))
    found = cause(judged)
    assert (found.outcome, found.klass) == ("FAIL", "PLUGIN")
    assert "/nowhere/libnet.so cannot be loaded" in found.fact


def test_damage_on_a_plugins_way_is_found_like_any_other(exchange: Judge) -> None:
    _, judged = exchange(replace(PLAN, faults=(Fault(kind="flip", chunk=5, value=1001),)))
    found = cause(judged)
    assert (found.klass, found.nic, found.channel, found.chunk) == ("BITFLIP", "eth2", 1, 5)


def judged_by(run: PytestRun) -> list[Judged]:
    """What a run judged, once it has ended well."""
    assert run.finish(RUN_S) == 0, run.said()
    return [entry.record for entry in run.entries() if isinstance(entry.record, Judged)]


def test_options_choose_the_plugin(testbed: Testbed, tmp_path: Path) -> None:
    chosen = ("--hil-nodes", str(testbed.inventory_file), *PLUGGED)
    tests = str(PROJECT / "suites/hardware/test_mapping.py")
    judged = judged_by(PytestRun(tmp_path, suite(*chosen, "-k", "i_mod_n", tests)))
    assert {record.outcome for record in judged} == {"PASS"}
    assert any("of the plugin's own" in record.fact for record in judged)


@pytest.mark.gpu
def test_options_choose_the_plugin_and_a_gpus_memory(gpu_testbed: Testbed, tmp_path: Path) -> None:
    chosen = ("--hil-nodes", str(gpu_testbed.inventory_file), "--hil-memory", "cuda", *PLUGGED)
    tests = str(PROJECT / "suites/hardware/test_mapping.py")
    judged = judged_by(PytestRun(tmp_path, suite(*chosen, "-k", "i_mod_n", tests)))
    assert {record.outcome for record in judged} == {"PASS"}
    assert any("of the plugin's own" in record.fact for record in judged)
    assert "gpu" in {record.claim for record in judged}
