"""Exchanges as reports tell them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.report.exchanges import exchanges
from harness.verdict import judge
from suites.unit.verdict.clean import clean, sockets_changed
from suites.unit.verdict.program.ran import ran


def test_exchanges_of_several_workers_are_told_apart() -> None:
    one, two = clean("gw0-1", channels=1), clean("gw1-1", channels=2)
    mixed = sorted([*one, *two], key=lambda entry: entry.at_s)
    told = exchanges(mixed)
    assert [(t.seen.name, len(t.channels)) for t in told] == [("gw0-1", 1), ("gw1-1", 2)]


def test_recorded_verdicts_are_told_as_they_were_made() -> None:
    """A verdict made by another version of the checks is history, not to be made anew."""
    entries = clean()
    old = replace(judge(entries)[0], fact="as it was said then")
    told = exchanges([*entries, replace(entries[-1], record=old)])
    assert told[0].judged == (old,)


def test_figures_are_the_servers_and_shares_add_up() -> None:
    (told,) = exchanges(clean(channels=4))
    assert sum(channel.share for channel in told.channels) == pytest.approx(1.0)
    assert told.bytes == 16 * 2**20
    assert told.channels[0].gb_s == pytest.approx(4 * 2**20 / 0.99 / 1e9)


def test_a_channel_without_a_known_nic_says_so() -> None:
    (told,) = exchanges(sockets_changed(clean(), "server", 0, nic="", bound_device=""))
    assert told.channels[0].nics == {"server": "?", "client": "eth1"}


def test_a_programs_figures_are_its_connections() -> None:
    (told,) = exchanges(ran())
    assert [channel.nics["server"] for channel in told.channels] == ["eth1", "eth2", "eth3", "eth4"]
    assert told.bytes >= 2 * 64 * 2**20
    assert sum(channel.share for channel in told.channels) == pytest.approx(1.0)
    assert sum(channel.gb_s for channel in told.channels) == pytest.approx(told.seen.gb_s)
    assert told.words_verified == 0
