"""The ledger: one byte, chunk or iteration off has a name and a place."""

from __future__ import annotations

import pytest

from harness.evidence import ChannelDone, Entry, IterationDone
from harness.verdict.delivery import delivery
from harness.verdict.exchange import Exchange
from suites.unit.verdict.clean import changed, clean, node_time, without


def judged(entries: list[Entry]):
    return delivery(Exchange(entries))


def done(role: str, channel: int) -> dict[str, object]:
    return {"role": role, "channel": channel}


def test_a_whole_ledger_passes_and_says_its_figures() -> None:
    found = judged(clean(channels=8, iterations=3))
    assert found.outcome == "PASS"
    assert found.checked == 8 * 5 + 2 * 2 * 3  # figures of channels and of iterations
    assert f"{3 * 16 * 2**20:,} bytes in 96 chunks on 8 channels" in found.fact


def test_17_of_128_chunks_is_a_broken_ledger_with_its_channel() -> None:
    entries = clean(size_bytes=64 * 2**20)
    for channel, chunks in enumerate((5, 4, 4, 4)):
        entries = changed(
            entries,
            ChannelDone,
            where=done("server", channel),
            chunks=chunks,
            bytes_verified=chunks * 512 * 1024,
        )
    found = judged(entries)
    assert (found.outcome, found.klass) == ("FAIL", "LEDGER")
    assert (found.node, found.nic, found.channel) == ("alpha", "eth1", 0)
    assert "5 chunks, the plan 32" in found.fact


@pytest.mark.parametrize("role", ["server", "client"])
@pytest.mark.parametrize("field", ["bytes", "chunks"])
def test_a_figure_one_off_is_named_with_node_nic_and_channel(role: str, field: str) -> None:
    entries = clean()
    value = {"bytes": 4 * 2**20 - 1, "chunks": 9}[field]
    found = judged(changed(entries, ChannelDone, where=done(role, 2), **{field: value}))
    assert (found.outcome, found.klass, found.channel) == ("FAIL", "LEDGER", 2)
    assert (found.node, found.nic) == ({"server": "alpha", "client": "beta"}[role], "eth3")
    assert found.at_s == pytest.approx(1.49)  # when the channel's last chunk was done


def test_one_byte_not_verified_breaks_the_ledger() -> None:
    short = 4 * 2**20 - 1
    found = judged(changed(clean(), ChannelDone, where=done("server", 3), bytes_verified=short))
    assert (found.klass, found.node, found.nic, found.channel) == ("LEDGER", "alpha", "eth4", 3)


def test_bytes_that_agree_but_nobody_verified_are_open() -> None:
    found = judged(changed(clean(), ChannelDone, where={"role": "server"}, bytes_verified=0))
    assert (found.outcome, found.klass, found.node) == ("INCONCLUSIVE", "UNVERIFIED", "alpha")


def test_the_aborted_twentieth_iteration_is_not_averaged_away() -> None:
    entries = without(clean(iterations=20), IterationDone, iteration=19)
    entries = changed(entries, ChannelDone, where={"role": "client"}, bytes=1)
    found = judged(entries)
    assert (found.outcome, found.klass, found.node) == ("FAIL", "ITERATION", "alpha")
    assert "iteration 20 of 20" in found.fact


def test_an_iteration_that_ended_short_breaks_the_ledger() -> None:
    entries = changed(clean(iterations=2), IterationDone, where={"iteration": 1}, chunks=31)
    found = judged(entries)
    assert (found.klass, "iteration 2 of 2" in found.fact) == ("LEDGER", True)


def test_a_server_that_stops_short_outranks_the_client_it_left_hanging() -> None:
    entries = without(clean(), IterationDone, role="client")
    found = judged(changed(entries, ChannelDone, where=done("server", 1), chunks=4))
    assert (found.klass, found.node, found.channel) == ("LEDGER", "alpha", 1)


def test_an_unaccounted_channel_is_open_and_named() -> None:
    found = judged(without(clean(), ChannelDone, role="client", channel=1))
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")
    assert (found.node, found.nic, found.channel) == ("beta", "eth2", 1)


def test_no_account_at_all_is_open() -> None:
    found = judged(without(without(clean(), ChannelDone), IterationDone))
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")


def test_a_loss_is_dated_by_the_channels_last_chunk() -> None:
    ended_s = node_time("alpha", 0.75)
    fields = {"chunks": 7, "ended_s": ended_s}
    found = judged(changed(clean(), ChannelDone, where=done("server", 0), **fields))
    assert found.at_s == pytest.approx(0.75)


def test_ends_of_iterations_without_accounts_name_the_first_channel() -> None:
    found = judged(without(clean(), ChannelDone))
    assert (found.klass, found.node, found.channel) == ("NO_EVIDENCE", "alpha", 0)
