"""The claim `gpu`: every check of it fails with its culprit named."""

from __future__ import annotations

from typing import Any

import pytest

from harness.evidence import Entry, ExchangePlanned, GpuHealth, GpuLoad, GpuProcess
from harness.plan import MIB
from harness.verdict import judge
from harness.verdict.exchange import Exchange
from harness.verdict.finding import headline
from harness.verdict.gpu import gpu
from suites.unit.verdict.clean import changed, clean, node_time, without
from suites.unit.verdict.test_gpu_place import paired
from suites.unit.verdict.test_gpu_users import ROLE, STRANGER, contained, joined, more

BEFORE = {"node": "beta", "phase": "idle"}
AFTER = {"node": "beta", "phase": "settled"}
SAMPLES = {"node": "beta", "phase": "sample"}


@pytest.fixture
def entries() -> list[Entry]:
    return clean(memory="cuda")


def test_a_clean_exchange_on_gpus_passes_every_claim(entries: list[Entry]) -> None:
    judged = judge(entries)
    assert [one.claim for one in judged][-1] == "gpu"
    assert {one.outcome for one in judged} == {"PASS"}
    assert judged[-1].checked == 14
    assert "server on alpha gpu 0 (GPU-alpha), client on beta gpu 0 (GPU-beta)" in judged[-1].fact


def test_one_gpu_for_both_is_said(entries: list[Entry]) -> None:
    one = changed(changed(entries, GpuLoad, uuid="GPU-1"), GpuLoad, sees_all=False)
    found = gpu(Exchange(one))
    assert found.outcome == "PASS"
    said = "server and client share one GPU, GPU-1 (alpha gpu 0 and beta gpu 0)"
    assert found.fact.startswith(said)


@pytest.mark.parametrize(
    ("fields", "klass", "outcome", "fact"),
    [
        (
            {"ecc_uncorrected": 2, "ecc_uncorrected_ever": 4},
            "GPU_ECC",
            "FAIL",
            "2 uncorrectable memory errors during the exchange, 2 so far",
        ),
        (
            {"ecc_uncorrected": None, "ecc_uncorrected_ever": 3},
            "GPU_ECC",
            "FAIL",
            "1 uncorrectable memory error during the exchange, 3 so far in its life",
        ),
        (
            {"remap_pending": True},
            "GPU_REMAP",
            "INCONCLUSIVE",
            "a row waits for a reset to be remapped, and none did before the exchange",
        ),
        (
            {"remap_failed": True},
            "GPU_REMAP",
            "INCONCLUSIVE",
            "a row could not be remapped, and none did before the exchange",
        ),
        (
            {"pcie_replays": 8},
            "GPU_REPLAY",
            "INCONCLUSIVE",
            "5 PCIe replays during the exchange, 8 so far",
        ),
    ],
)
def test_a_counter_that_rose_names_its_gpu(
    entries: list[Entry], fields: dict[str, Any], klass: str, outcome: str, fact: str
) -> None:
    found = gpu(Exchange(changed(entries, GpuHealth, where=AFTER, **fields)))
    assert (found.klass, found.outcome, found.node, found.gpu) == (klass, outcome, "beta", 0)
    assert found.fact == fact
    assert headline(found) == f"{klass} beta/gpu 0: {fact}"
    assert "0" in found.next_step


def test_a_row_that_waited_before_is_said_to_have(entries: list[Entry]) -> None:
    found = gpu(Exchange(changed(entries, GpuHealth, where={"node": "beta"}, remap_pending=True)))
    assert found.fact == "a row waits for a reset to be remapped, as before the exchange"


def test_an_xid_during_the_exchange_is_named(entries: list[Entry]) -> None:
    found = gpu(Exchange(changed(entries, GpuLoad, where=SAMPLES, xids=(31, 43))))
    assert (found.klass, found.outcome, found.node, found.gpu) == ("GPU_XID", "FAIL", "beta", 0)
    assert found.fact == "Xid 31, 43 during the exchange, heard at 0.9 s"


def test_a_gpu_that_fell_off_the_bus_is_named(entries: list[Entry]) -> None:
    lost = changed(entries, GpuLoad, where=SAMPLES, trouble="GPU is lost (nvmlDeviceGetMemoryInfo)")
    found = gpu(Exchange(lost))
    assert (found.klass, found.outcome, found.node, found.gpu) == ("GPU_LOST", "FAIL", "beta", 0)
    assert "GPU is lost" in found.fact


def test_what_a_role_leaves_on_a_gpu_fails(entries: list[Entry]) -> None:
    found = gpu(Exchange(joined(entries, ROLE, node="alpha", phase="settled")))
    assert (found.klass, found.outcome, found.node) == ("GPU_LEFTOVER", "FAIL", "alpha")


def test_in_a_container_what_stays_is_open(entries: list[Entry]) -> None:
    found = gpu(Exchange(contained(more(entries, 500, node="alpha", phase="settled"))))
    assert (found.klass, found.outcome, found.node) == ("GPU_FOREIGN", "INCONCLUSIVE", "alpha")


def test_a_role_that_is_on_another_gpu_is_named(entries: list[Entry]) -> None:
    found = gpu(Exchange(changed(entries, GpuLoad, where=SAMPLES, processes=())))
    assert (found.klass, found.outcome, found.node) == ("GPU_MAPPING", "FAIL", "beta")
    said = "the client was never on the GPU that the plan names, in 2 samples of its transfer"
    assert found.fact == said


def test_a_role_that_nobody_saw_leaves_the_claim_open(entries: list[Entry]) -> None:
    unseen = changed(entries, GpuLoad, where=SAMPLES, processes=(), memory_used_bytes=0)
    hidden = changed(unseen, GpuLoad, sees_all=False)
    short = without(unseen, GpuLoad, at_s=node_time("beta", 0.9))
    for spoilt, looks in ((hidden, "2 samples"), (short, "1 sample")):
        found = gpu(Exchange(spoilt))
        assert (found.klass, found.outcome, found.node) == ("NO_EVIDENCE", "INCONCLUSIVE", "beta")
        said = f"nobody saw the client on the GPU that the plan names, in {looks}"
        assert found.fact == said


def test_without_a_sample_nobody_was_seen(entries: list[Entry]) -> None:
    found = gpu(Exchange(without(entries, GpuLoad, phase="sample")))
    assert (found.klass, found.node, found.gpu) == ("NO_EVIDENCE", "alpha", 0)
    assert found.fact == "nobody saw the server on the GPU that the plan names, in 0 samples"


def test_one_sight_of_a_role_is_enough(entries: list[Entry]) -> None:
    once = without(entries, GpuLoad, at_s=node_time("beta", 0.9))
    assert gpu(Exchange(once)).outcome == "PASS"


def test_where_processes_are_hidden_memory_tells_of_a_role(entries: list[Entry]) -> None:
    hidden = contained(changed(entries, GpuLoad, processes=()))
    assert gpu(Exchange(hidden)).outcome == "PASS"
    for spoilt in (
        changed(hidden, GpuLoad, where={"node": "beta"}, memory_used_bytes=500 * MIB),
        changed(hidden, GpuLoad, where=BEFORE, memory_used_bytes=None),
        changed(hidden, GpuLoad, uuid="GPU-1"),  # whose memory it is, nobody can say
    ):
        assert gpu(Exchange(spoilt)).klass == "NO_EVIDENCE"


@pytest.mark.parametrize("phase", ["idle", "settled"])
def test_memory_that_nobody_read_was_not_given_back(entries: list[Entry], phase: str) -> None:
    where = {"node": "beta", "phase": phase}
    for spoilt in (
        changed(entries, GpuLoad, where=where, memory_used_bytes=None),
        without(entries, GpuLoad, **where),
    ):
        found = gpu(Exchange(spoilt))
        assert found.fact.endswith("no new error, whether memory was given back is not known")
    assert gpu(Exchange(entries)).fact.endswith("no new error, all memory given back")


def test_a_wrong_pair_in_the_inventory_is_the_inventorys_error(entries: list[Entry]) -> None:
    found = gpu(Exchange(paired(entries, "server", "eth2")))
    assert (found.klass, found.outcome) == ("INVENTORY", "ERROR")
    assert headline(found).startswith("INVENTORY alpha/gpu 0/eth2: 0000:04:00.0 is paired with")
    assert "on another PCI root; eth1 (0000:06:00.0) is nearer, 4 PCI links away" in found.fact


def test_no_reading_is_never_a_pass(entries: list[Entry]) -> None:
    unread = without(without(entries, GpuHealth, node="beta"), GpuLoad, **SAMPLES)
    unread = changed(unread, GpuLoad, where={"node": "beta"}, uuid="", trouble="no driver")
    for spoilt in (unread, without(entries, GpuHealth, node="beta", phase="settled")):
        found = gpu(Exchange(spoilt))
        assert (found.klass, found.outcome, found.node) == ("NO_EVIDENCE", "INCONCLUSIVE", "beta")
    assert "no driver" in gpu(Exchange(unread)).fact
    nowhere = gpu(Exchange(changed(entries, ExchangePlanned, gpus={})))
    assert (nowhere.klass, nowhere.outcome) == ("NO_EVIDENCE", "INCONCLUSIVE")


def test_what_is_unknown_is_listed_and_not_counted(entries: list[Entry]) -> None:
    fields = {"ecc_uncorrected": None, "pcie_replays": None, "xid_events": False}
    spoilt = changed(entries, GpuHealth, where={"node": "beta"}, throttled_ns={}, **fields)
    spoilt = changed(spoilt, GpuLoad, where={"node": "beta"}, throttle=("unknown",))
    found = gpu(Exchange(spoilt))
    assert (found.outcome, found.checked) == ("PASS", 11)
    assert found.evidence == (
        "beta gpu 0: unknown, NVML does not tell: ecc_uncorrected, pcie_replays, Xids, throttling",
    )


def test_throttling_and_strangers_are_told_and_concern_no_byte(entries: list[Entry]) -> None:
    counted = {"power_cap": 6_000_000_000, "software_thermal": 0}
    spoilt = changed(entries, GpuHealth, where=AFTER, throttled_ns=counted)
    found = gpu(Exchange(joined(spoilt, STRANGER, **SAMPLES)))
    assert found.outcome == "PASS"
    assert [line.split(":")[0] for line in found.evidence] == ["beta gpu 0", "beta gpu 0"]
    assert "power cap for 1.00 of 1.88 s" in found.evidence[0]
    assert "train (pid 99)" in found.evidence[1]


def test_a_fail_goes_before_what_is_open(entries: list[Entry]) -> None:
    spoilt = changed(entries, GpuHealth, where=AFTER, pcie_replays=9)
    found = gpu(Exchange(joined(spoilt, GpuProcess(pid=7, memory_bytes=MIB), phase="settled")))
    assert found.klass == "GPU_LEFTOVER"
