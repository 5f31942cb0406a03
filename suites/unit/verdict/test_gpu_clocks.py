"""How long a GPU was throttled: counted where it is, sampled where it is not."""

from __future__ import annotations

import pytest

from harness.evidence import Entry, GpuHealth, GpuLoad
from harness.verdict.exchange import Exchange
from harness.verdict.gpu_clocks import throttled, untold
from suites.unit.verdict.clean import changed, clean

SETTLED = {"node": "beta", "phase": "settled"}
SAMPLES = {"node": "beta", "phase": "sample"}


@pytest.fixture
def entries() -> list[Entry]:
    return clean(memory="cuda")


def test_a_gpu_at_its_clocks_is_not_throttled(entries: list[Entry]) -> None:
    assert throttled(Exchange(entries)) == []
    assert untold(Exchange(entries)) == []


def test_the_time_is_the_counters_difference(entries: list[Entry]) -> None:
    counted = {"power_cap": 5_940_000_000, "software_thermal": 0}
    spoilt = changed(entries, GpuHealth, where=SETTLED, throttled_ns=counted)
    (slow,) = throttled(Exchange(spoilt))
    assert (slow.node, slow.gpu, slow.reason) == ("beta", 0, "power_cap")
    assert slow.fact == "throttled by its power cap for 0.94 of 1.88 s"


def test_a_moment_makes_no_difference(entries: list[Entry]) -> None:
    counted = {"power_cap": 5_010_000_000, "software_thermal": 0}
    spoilt = changed(entries, GpuHealth, where=SETTLED, throttled_ns=counted)
    spoilt = changed(spoilt, GpuLoad, where=SAMPLES, throttle=("power_cap",))
    assert throttled(Exchange(spoilt)) == []


def test_what_is_not_counted_is_known_from_the_samples(entries: list[Entry]) -> None:
    spoilt = changed(entries, GpuLoad, where=SAMPLES, throttle=("hardware_slowdown",))
    (slow,) = throttled(Exchange(spoilt))
    assert slow.fact == "throttled by its hardware slowdown for at most 1.82 of 1.82 s"
    assert round(slow.at_s, 2) == 0.9


def test_what_is_neither_counted_nor_sampled_is_unknown(entries: list[Entry]) -> None:
    spoilt = changed(entries, GpuLoad, where={"node": "beta"}, throttle=("unknown",))
    assert untold(Exchange(spoilt)) == []
    spoilt = changed(spoilt, GpuHealth, where={"node": "beta"}, throttled_ns={})
    assert [one.node for one in untold(Exchange(spoilt))] == ["beta"]
    assert throttled(Exchange(spoilt)) == []
