"""The negative evidence: what other NICs and lo may do, and what they may not."""

from __future__ import annotations

import pytest

from harness.evidence import ChannelDone, Entry, NicCounters
from harness.verdict.exchange import Exchange
from harness.verdict.quiet import quiet
from suites.unit.verdict.clean import clean, counted, without

KIB, MIB = 2**10, 2**20


def judged(entries: list[Entry]):
    return quiet(Exchange(entries))


def test_flat_nics_pass_and_all_of_them_are_compared() -> None:
    found = judged(clean(channels=2))
    assert (found.outcome, found.checked) == ("PASS", 2 * 2 * 4)  # eth0 eth3 eth4 lo


@pytest.mark.parametrize("field", ["bytes_sent", "bytes_recv"])
@pytest.mark.parametrize("node", ["alpha", "beta"])
def test_a_channels_worth_on_another_data_nic_strayed(node: str, field: str) -> None:
    found = judged(counted(clean(channels=2), node, "eth4", **{field: 8 * MIB}))
    assert (found.outcome, found.klass) == ("FAIL", "STRAY")
    assert (found.node, found.nic) == (node, "eth4")


@pytest.mark.parametrize("node", ["alpha", "beta"])
def test_a_channels_worth_on_lo_is_loopback(node: str) -> None:
    found = judged(counted(clean(), node, "lo", bytes_sent=4 * MIB, bytes_recv=4 * MIB))
    assert (found.outcome, found.klass, found.node, found.nic) == ("FAIL", "LOOPBACK", node, "lo")


def test_a_channels_worth_on_the_management_nic_strayed() -> None:
    found = judged(counted(clean(), "beta", "eth0", bytes_sent=4 * MIB))
    assert (found.outcome, found.klass, found.nic) == ("FAIL", "STRAY", "eth0")


@pytest.mark.parametrize("count", [200 * KIB, 100 * MIB])
def test_load_that_is_no_channels_worth_is_foreign(count: int) -> None:
    found = judged(counted(clean(channels=1), "alpha", "eth3", bytes_recv=count))
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "FOREIGN_LOAD")
    assert (found.node, found.nic) == ("alpha", "eth3")


def test_a_transfer_of_one_byte_is_not_blamed_for_foreign_load() -> None:
    found = judged(counted(clean(size_bytes=1), "alpha", "lo", bytes_recv=100 * KIB))
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "FOREIGN_LOAD")


def test_bands_are_64_kib_here_and_a_mebibyte_on_the_management_nic() -> None:
    entries = counted(clean(), "alpha", "lo", bytes_sent=64 * KIB)
    assert judged(counted(entries, "alpha", "eth0", bytes_sent=MIB)).outcome == "PASS"
    assert judged(counted(clean(), "alpha", "lo", bytes_sent=100 * KIB)).outcome != "PASS"


def test_what_a_nic_did_before_it_may_go_on_doing() -> None:
    """1 KiB in the baseline's 60 ms explains 27 KiB in the 1.64 s that follow."""
    entries = _second_idle(counted(clean(), "alpha", "lo", bytes_sent=85 * KIB), 1 * KIB)
    assert judged(entries).outcome == "PASS"


def test_a_nic_that_was_busy_before_is_foreign_load_even_when_the_pace_explains_it() -> None:
    entries = _second_idle(counted(clean(), "alpha", "lo", bytes_sent=4 * MIB), 150 * KIB)
    found = judged(entries)
    assert (found.outcome, found.klass, found.nic) == ("INCONCLUSIVE", "FOREIGN_LOAD", "lo")
    assert "busy before" in found.fact


def test_a_counter_that_went_backwards_is_open() -> None:
    found = judged(counted(clean(), "alpha", "lo", bytes_sent=-1))
    assert (found.outcome, found.klass, found.nic) == ("INCONCLUSIVE", "COUNTER", "lo")


@pytest.mark.parametrize("phase", ["idle", "settled"])
def test_without_readings_of_lo_nothing_is_known(phase: str) -> None:
    found = judged(without(clean(), NicCounters, node="beta", phase=phase))
    assert (found.outcome, found.klass, found.node) == ("INCONCLUSIVE", "COUNTER", "beta")


def _second_idle(entries: list[Entry], count: int) -> list[Entry]:
    """The second idle reading and the settled one are `count` bytes up on alpha's lo."""
    second = [e.record.at_s for e in entries if _is_idle(e)][-1]
    raised = counted(entries, "alpha", "lo", phase="idle", bytes_sent=count)
    first = counted(entries, "alpha", "lo", phase="idle", bytes_sent=0)
    return [
        late if _is_idle(late) and late.record.at_s == second else early
        for early, late in zip(first, raised, strict=True)
    ]


def _is_idle(entry: Entry) -> bool:
    record = entry.record
    return isinstance(record, NicCounters) and (record.node, record.phase) == ("alpha", "idle")


def test_the_spoiling_itself_hits_one_reading() -> None:
    changed = _second_idle(clean(), 7)
    assert sum(a != b for a, b in zip(clean(), changed, strict=True)) == 1


def test_a_long_exchange_allows_ssh_more() -> None:
    """Records and signs of life come at a pace: 1.8 s allow 0.4 MiB beside the fixed one."""
    assert judged(counted(clean(), "alpha", "eth0", bytes_sent=MIB + 450 * KIB)).outcome == "PASS"
    assert judged(counted(clean(), "alpha", "eth0", bytes_sent=2 * MIB)).outcome != "PASS"


def test_grants_explain_some_of_what_the_management_nic_carries() -> None:
    """4096 grants, the server's to the client, beside what ssh may carry."""

    def loud(distribution: str) -> list[Entry]:
        entries = clean(chunk_bytes=4 * KIB, distribution=distribution)
        return counted(entries, "alpha", "eth0", bytes_sent=1900 * KIB)

    assert judged(loud("least-loaded")).outcome == "PASS"
    found = judged(loud("round-robin"))
    assert (found.klass, found.node, found.nic) == ("FOREIGN_LOAD", "alpha", "eth0")


def test_strays_of_dealt_chunks_are_known_by_what_the_channels_carried() -> None:
    entries = counted(clean(distribution="least-loaded"), "alpha", "lo", bytes_sent=4 * MIB)
    assert (judged(entries).klass, judged(entries).nic) == ("LOOPBACK", "lo")
    unsaid = counted(
        without(clean(distribution="least-loaded"), ChannelDone), "alpha", "lo", bytes_sent=MIB
    )
    assert judged(unsaid).klass == "FOREIGN_LOAD", "a quarter of an even share is no channel's"
