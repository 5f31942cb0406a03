"""Speed claims: line rate less headers, and growth with channels."""

from __future__ import annotations

import pytest

from harness.evidence import ExchangePlanned, IterationDone
from harness.verdict import least_loaded, rate, scaling
from harness.verdict.exchange import Exchange
from harness.verdict.speed import is_slow, line_gb_s
from suites.unit.verdict.clean import changed, clean, node_time, without

SIZE = 64 * 2**20


def at(gb_s: float, channels: int = 4) -> Exchange:
    """An exchange whose one iteration ran at `gb_s` by the client's clock."""
    entries = clean(channels=channels, size_bytes=SIZE)
    started_s = node_time("beta", 0.5)
    fields = {"started_s": started_s, "ended_s": started_s + SIZE / gb_s / 1e9}
    return Exchange(changed(entries, IterationDone, where={"role": "client"}, **fields))


def test_the_line_carries_its_rate_less_headers() -> None:
    assert line_gb_s(at(1.0)) == pytest.approx(4 * 0.125 * 8948 / 9014)
    assert line_gb_s(at(1.0, channels=2)) == pytest.approx(2 * 0.125 * 8948 / 9014)
    assert line_gb_s(at(1.0, channels=8)) == pytest.approx(4 * 0.125 * 8948 / 9014)


@pytest.mark.parametrize(
    ("share", "outcome", "klass"),
    [(0.98, "PASS", ""), (0.96, "FAIL", "SLOW"), (1.2, "FAIL", "TOO_FAST")],
)
def test_a_rate_is_held_to_the_line_from_both_sides(share: float, outcome: str, klass: str) -> None:
    found = rate(at(share * line_gb_s(at(1.0))), test="t", claim="rate-4")
    assert (found.outcome, found.klass, found.test, found.claim) == (outcome, klass, "t", "rate-4")
    assert f"{share:.1%}" in found.fact


def test_a_rate_says_how_many_exchanges_were_tried_for_it() -> None:
    line = line_gb_s(at(1.0))
    slow, fast = at(0.9 * line), at(0.98 * line)
    assert (is_slow(slow), is_slow(fast)) == (True, False)
    for found, outcome in (
        (rate(fast, test="t", claim="c", tries=3), "PASS"),
        (rate(slow, test="t", claim="c", tries=3), "FAIL"),
    ):
        assert found.outcome == outcome
        assert "the fastest of 3 exchanges" in found.fact
    assert "fastest" not in rate(fast, test="t", claim="c").fact


def test_nothing_is_slow_where_no_line_is_stated() -> None:
    assert not is_slow(Exchange(changed(clean(), ExchangePlanned, rate_gbit_s=0.0)))


def test_a_rate_without_a_stated_line_is_open() -> None:
    found = rate(Exchange(changed(clean(), ExchangePlanned, rate_gbit_s=0.0)), test="t", claim="c")
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")
    assert found.fact == "no line rate is stated"


def test_a_rate_that_was_not_measured_is_open() -> None:
    entries = changed(clean(), IterationDone, started_s=1.0, ended_s=1.0)
    found = rate(Exchange(entries), test="t", claim="c")
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")
    assert found.fact == "no rate was measured"


@pytest.mark.parametrize(
    ("times", "outcome", "klass"),
    [(3.95, "PASS", ""), (3.8, "FAIL", "SCALING"), (1.08, "FAIL", "NO_PARALLELISM")],
)
def test_four_channels_are_four_times_one(times: float, outcome: str, klass: str) -> None:
    found = scaling(at(0.1, channels=1), at(0.1 * times), test="t", claim="scaling-4")
    assert (found.outcome, found.klass) == (outcome, klass)
    assert f"{times:.2f} times" in found.fact
    assert ("expected 3.90" in found.fact) == (outcome == "FAIL")
    assert (found.checked > 0) == (outcome == "PASS")


def test_scaling_from_nothing_is_open() -> None:
    none = Exchange(changed(clean(), IterationDone, started_s=1.0, ended_s=1.0))
    found = scaling(none, at(0.4), test="t", claim="c")
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")


def test_growth_is_from_any_number_of_channels() -> None:
    twice = scaling(at(0.2, channels=2), at(0.4), test="t", claim="c")
    assert (twice.outcome, "2.00 times" in twice.fact) == ("PASS", True)
    assert scaling(at(0.2, channels=2), at(0.3), test="t", claim="c").klass == "SCALING"


LINE = 3.5 / 4 * 4 * 0.125 * 8948 / 9014  # of four NICs, one at half its rate


@pytest.mark.parametrize(
    ("share", "outcome", "klass"),
    [(0.91, "PASS", ""), (0.89, "FAIL", "SLOW"), (1.1, "FAIL", "TOO_FAST")],
)
def test_dealt_chunks_are_held_to_what_unequal_nics_carry(
    share: float, outcome: str, klass: str
) -> None:
    even = at(2 / 3.5 * LINE)
    found = least_loaded(at(share * LINE), even, slow=0.5, test="t", claim="c", tries=2)
    assert (found.outcome, found.klass, found.test, found.claim) == (outcome, klass, "t", "c")
    assert f"{share:.2f} of 0.434 GB/s" in found.fact
    assert "round-robin 0.248 GB/s, 0.57" in found.fact
    assert "the last of 2 exchanges" in found.fact


def test_dealt_chunks_without_a_rate_prove_nothing() -> None:
    unstated = Exchange(changed(clean(), ExchangePlanned, rate_gbit_s=0.0))
    unmeasured = Exchange(without(clean(), IterationDone))
    for dealt, even in ((unstated, at(1.0)), (unmeasured, at(1.0)), (at(0.4), unmeasured)):
        found = least_loaded(dealt, even, slow=0.5, test="t", claim="c")
        assert (found.outcome, found.klass) == ("INCONCLUSIVE", "NO_EVIDENCE")
