"""Figures are what the records say, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import ChannelDone, ExchangePlanned, IterationDone
from harness.history.figures import measured, planned
from harness.verdict.exchange import Exchange
from suites.unit.history.nights import exchange
from suites.unit.verdict.clean import changed, edited, without

BYTES = 2 * (64 << 20)


def test_the_figures_of_a_clean_exchange() -> None:
    """128 MiB in one second; each of four NICs a quarter of it in 0.99 s."""
    entries = edited(exchange(), IterationDone, lambda d: replace(d, cpu_s=0.1 * (1 + d.iteration)))
    found = measured(Exchange(entries))
    assert found[("gb_s", "4 channels")] == pytest.approx(BYTES / 1e9)
    assert found[("iteration_s", "4 channels")] == pytest.approx(0.5)
    assert found[("cpu_s_per_gb", "4 channels")] == pytest.approx(0.4 / (BYTES / 1e9))
    for nic in ("eth1", "eth2", "eth3", "eth4"):
        assert found[("gb_s", nic)] == pytest.approx(BYTES / 4 / 0.99 / 1e9)
    assert set(found) == set(planned(Exchange(entries)))


def test_a_nics_channels_are_one_figure() -> None:
    """Eight channels on four NICs: from the first one's start to the last one's end."""
    entries = edited(
        exchange(channels=8),
        ChannelDone,
        lambda done: replace(done, started_s=done.started_s - 1.0),
        channel=5,
    )
    found = measured(Exchange(entries))
    assert found[("gb_s", "eth2")] == pytest.approx(BYTES / 4 / 1.99 / 1e9)
    assert found[("gb_s", "eth1")] == pytest.approx(BYTES / 4 / 0.99 / 1e9)
    assert ("gb_s", "8 channels") in found


def test_nics_of_different_names_are_told_from_client_to_server() -> None:
    nics = {"server": ["a", "b", "c", "d"], "client": ["e", "f", "g", "h"]}
    entries = changed(exchange(), ExchangePlanned, nics=nics)
    assert ("gb_s", "f to b") in planned(Exchange(entries))


def test_what_was_not_measured_has_no_figure() -> None:
    """No processor time was told, as by an older version; and no channel's end."""
    found = measured(Exchange(without(exchange(), ChannelDone)))
    assert set(found) == {("gb_s", "4 channels"), ("iteration_s", "4 channels")}
    assert measured(Exchange(without(exchange(), IterationDone))).keys() == {
        ("gb_s", f"eth{n}") for n in range(1, 5)
    }
