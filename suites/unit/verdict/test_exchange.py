"""The view of an exchange: whose entries, when, and how fast."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.errors import EvidenceError
from harness.evidence import (
    ClockMeasured,
    ExchangeEnded,
    ExchangePlanned,
    ProgramSaid,
    Progress,
    RoleExited,
    RoleReady,
)
from harness.verdict.exchange import Exchange
from suites.unit.verdict.clean import changed, clean, node_time, without
from suites.unit.verdict.program.ran import TIMES_S, also, ran, say


def test_entries_of_none_or_of_two_exchanges_are_refused() -> None:
    with pytest.raises(EvidenceError, match="0 planned exchanges"):
        Exchange([])
    with pytest.raises(EvidenceError, match="2 planned exchanges"):
        Exchange([*clean("main-1"), *clean("main-2")])


def test_a_nodes_clock_is_brought_to_ours() -> None:
    entries = changed(clean(), RoleExited, where={"role": "server"}, at_s=node_time("alpha", 1.25))
    (seen,) = Exchange(entries).seen(RoleExited, role="server")
    assert seen.at_s == pytest.approx(1.25)


def test_without_a_measured_clock_the_time_of_hearing_counts() -> None:
    entries = without(clean(), ClockMeasured, node="alpha")
    (seen,) = Exchange(entries).seen(RoleExited, role="server")
    assert seen.at_s == pytest.approx(1.6)


def test_nothing_happens_after_it_was_heard() -> None:
    entries = changed(clean(), RoleExited, where={"role": "server"}, at_s=node_time("alpha", 99.0))
    (seen,) = Exchange(entries).seen(RoleExited, role="server")
    assert seen.at_s == pytest.approx(1.6)


def test_channels_wrap_around_the_nics() -> None:
    exchange = Exchange(clean(channels=8))
    assert [exchange.nic("client", channel) for channel in (0, 3, 4, 7)] == [
        "eth1",
        "eth4",
        "eth1",
        "eth4",
    ]
    nowhere = Exchange(changed(clean(), ExchangePlanned, nics={}))
    assert nowhere.nic("client", 0) == ""


def test_speed_is_the_iterations_by_the_clients_clock() -> None:
    assert Exchange(clean(iterations=2)).gb_s == pytest.approx(2 * 16 * 2**20 / 1e9)


def test_signs_of_life_leave_the_death_note_out() -> None:
    exchange = Exchange(without(clean(), RoleReady))
    assert max(exchange.signs_of_life("server")) < 1.6


def test_a_thread_that_still_reports_progress_is_no_sign_of_a_role_that_works() -> None:
    late = replace(clean()[-1], record=Progress(node="alpha", role="server", bytes=1, of_bytes=2))
    heard = Exchange(clean()).signs_of_life("server")
    assert Exchange([*clean(), late]).signs_of_life("server") == heard


def test_an_exchange_without_an_end_ends_with_the_last_that_was_seen() -> None:
    assert Exchange(clean()).ended_s == pytest.approx(2.0)
    assert Exchange(without(clean(), ExchangeEnded)).ended_s == pytest.approx(1.8)


def test_a_programs_speed_is_its_bytes_in_the_time_of_its_slowest_process() -> None:
    """Rates of processes that ran one after the other would add up to more than the line."""
    size = 2 * 64 * 2**20
    assert Exchange(ran()).gb_s == pytest.approx(size / (2 * TIMES_S) / 1e9)
    slower = also(ran(), say("server", "total_s", 8 * TIMES_S, process=1))
    assert Exchange(slower).gb_s == pytest.approx(size / (8 * TIMES_S) / 1e9)
    assert Exchange(without(ran(), ProgramSaid)).gb_s == 0.0
