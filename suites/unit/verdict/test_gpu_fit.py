"""Claims of speed on GPUs: open where a GPU was slow, shared or unread, and bound by its link."""

from __future__ import annotations

import pytest

from harness.evidence import Entry, ExchangePlanned, GpuHealth, GpuLoad, IterationDone
from harness.verdict import least_loaded, rate, scaling
from harness.verdict.exchange import Exchange
from harness.verdict.gpu_fit import device_gb_s, unfit
from harness.verdict.speed import line_gb_s
from suites.unit.verdict.clean import changed, clean, node_time, without
from suites.unit.verdict.test_gpu_users import STRANGER, joined

COUNTED = {"power_cap": 6_000_000_000, "software_thermal": 0}


def at(entries: list[Entry], share: float) -> Exchange:
    """It ran at this share of what it could."""
    plan = Exchange(entries)
    started_s = node_time("beta", 0.5)
    seconds = plan.plan.total_bytes / 1e9 / (share * line_gb_s(plan))
    fields = {"started_s": started_s, "ended_s": started_s + seconds}
    return Exchange(changed(entries, IterationDone, where={"role": "client"}, **fields))


@pytest.fixture
def entries() -> list[Entry]:
    return clean(memory="cuda")


@pytest.fixture
def slow(entries: list[Entry]) -> list[Entry]:
    where = {"node": "beta", "phase": "settled"}
    return changed(entries, GpuHealth, where=where, throttled_ns=COUNTED)


def test_healthy_gpus_stand_in_no_way(entries: list[Entry]) -> None:
    assert unfit(Exchange(entries), test="t", claim="rate") is None
    assert unfit(Exchange(clean()), test="t", claim="rate") is None
    assert rate(at(entries, 0.98), test="t", claim="rate").outcome == "PASS"


def test_a_throttled_gpu_leaves_every_claim_of_speed_open(
    slow: list[Entry], entries: list[Entry]
) -> None:
    fast = at(entries, 0.98)
    for found in (
        rate(at(slow, 0.98), test="t", claim="c"),
        scaling(fast, at(slow, 0.98), test="t", claim="c"),
        scaling(at(slow, 0.98), fast, test="t", claim="c"),
        least_loaded(at(slow, 0.98), fast, slow=1.0, test="t", claim="c"),
    ):
        assert (found.outcome, found.klass) == ("INCONCLUSIVE", "GPU_THROTTLED")
        assert (found.node, found.gpu, found.test, found.claim) == ("beta", 0, "t", "c")
        assert found.fact == "throttled by its power cap for 1.00 of 1.88 s"
        assert "on beta" in found.next_step.lower()


def test_a_stranger_leaves_it_open_and_is_named(entries: list[Entry]) -> None:
    shared = joined(entries, STRANGER, node="alpha", phase="sample")
    found = rate(at(shared, 0.5), test="t", claim="rate")
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "GPU_FOREIGN")
    assert (found.node, found.gpu) == ("alpha", 0)
    assert found.fact.startswith("train (pid 99) has 500 MiB")


def test_a_gpu_that_nobody_read_leaves_it_open(entries: list[Entry]) -> None:
    found = rate(at(without(entries, GpuLoad, node="beta"), 0.98), test="t", claim="rate")
    assert (found.outcome, found.klass, found.node) == ("INCONCLUSIVE", "NO_EVIDENCE", "beta")


def test_fast_lines_are_bound_by_the_gpus_link(entries: list[Entry]) -> None:
    fast = changed(entries, ExchangePlanned, rate_gbit_s=200.0)
    link = 0.85 * 16 * 32 / 8 * 128 / 130  # 53.6 of 63.0 GB/s
    assert device_gb_s(Exchange(fast)) == pytest.approx(link)
    assert line_gb_s(Exchange(fast)) == pytest.approx(link)
    assert line_gb_s(Exchange(entries)) < 1.0, "slow lines bound it themselves"
    old = changed(fast, GpuHealth, where={"node": "alpha"}, pcie_generation_max=2)
    assert device_gb_s(Exchange(old)) == pytest.approx(0.85 * 16 * 5 / 8 * 0.8)


def test_what_a_link_can_is_not_guessed(entries: list[Entry]) -> None:
    fast = changed(entries, ExchangePlanned, rate_gbit_s=200.0)
    untold = changed(fast, GpuHealth, pcie_width_max=None)
    assert device_gb_s(Exchange(untold)) == 0.0
    assert line_gb_s(Exchange(untold)) > 99.0
    assert device_gb_s(Exchange(without(fast, GpuHealth))) == 0.0


def test_one_gpu_for_both_roles_is_held_to_the_lines_and_says_so(entries: list[Entry]) -> None:
    one = changed(entries, GpuLoad, uuid="GPU-1")
    fast = changed(one, ExchangePlanned, rate_gbit_s=200.0)
    assert device_gb_s(Exchange(fast)) == 0.0
    assert line_gb_s(Exchange(fast)) > 99.0
    assert "both roles on one GPU" in rate(at(one, 0.98), test="t", claim="rate").fact
    assert "one GPU" not in rate(at(entries, 0.98), test="t", claim="rate").fact
